package linear

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// model is one key. Its state is the value; empty: there is no such key.
func model() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return "" },
		Step: func(state, input, output any) (bool, any) {
			c, a := parts(input, output)
			switch c.Kind {
			case Get:
				return a.Value == state, state
			case Put:
				return true, c.Value
			case Delete:
				return true, ""
			case Swap:
				held := state == c.Old
				if held {
					return a.Unknown || a.Held, c.Value
				}
				return a.Unknown || !a.Held, state
			}
			return false, state
		},
		DescribeOperation: func(input, output any) string {
			c, a := parts(input, output)
			return fmt.Sprintf("%s %s %q %q: %+v", c.Kind, c.Key, c.Old, c.Value, a)
		},
	}
}

// Check judges each key within a bound. Its error names the first key whose answers cannot
// be, or could not be judged in time, with its calls.
func (h *History) Check(bound time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	keys := map[string][]porcupine.Operation{}
	for _, op := range h.ops {
		c, _ := parts(op.Input, op.Output)
		keys[c.Key] = append(keys[c.Key], op)
	}
	deadline := time.Now().Add(bound)
	for key, ops := range keys {
		m := model()
		// Zero would be no bound at all.
		verdict, info := porcupine.CheckOperationsVerbose(m, ops, max(time.Until(deadline), time.Millisecond))
		switch verdict {
		case porcupine.Ok:
		case porcupine.Unknown:
			return fmt.Errorf("the %d calls of key %s could not be judged within %v", len(ops), key, bound)
		case porcupine.Illegal:
			return fmt.Errorf("the calls of key %s fit no order; around where the longest order ends:\n%s", key, around(ops, info))
		}
	}
	return nil
}

// shown is how many calls a complaint shows.
const shown = 40

// around lists the calls near the end of the longest order that was found.
func around(ops []porcupine.Operation, info porcupine.LinearizationInfo) string {
	longest := 0
	for _, part := range info.PartialLinearizations() {
		for _, order := range part {
			longest = max(longest, len(order))
		}
	}
	ops = slices.Clone(ops)
	slices.SortFunc(ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var b strings.Builder
	from := max(0, min(longest, len(ops))-shown/2)
	for _, op := range ops[from:min(len(ops), from+shown)] {
		fmt.Fprintf(&b, "client %d, %d to %d us: %s\n", op.ClientId, op.Call/1000, op.Return/1000, model().DescribeOperation(op.Input, op.Output))
	}
	return b.String()
}
