package sdktest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// await waits for each condition in turn and writes what fulfils it.
func (r *Runner) await(c *client, a arguments) string {
	var lines []string
	for _, want := range a.words[1:] {
		if want == "END" {
			if !c.waitForEnd() {
				lines = append(lines, "the stream does not end")
			} else {
				lines = append(lines, "END")
			}
			continue
		}
		event, _ := c.take(func(e *sdk.Event) bool { return string(e.Type) == want }, scriptPatience)
		if event == nil {
			lines = append(lines, "no "+want+" came")
			continue
		}
		lines = append(lines, r.names.line(event))
	}
	tasks := make([]string, 0, len(a.options))
	for task := range a.options {
		tasks = append(tasks, task)
	}
	slices.Sort(tasks)
	for _, task := range tasks {
		lines = append(lines, r.awaitState(c, sdk.TaskID(task), sdk.TaskState(a.options[task]))...)
	}
	return strings.Join(lines, "\n")
}

// awaitState writes the updates of a task up to a state.
func (r *Runner) awaitState(c *client, task sdk.TaskID, state sdk.TaskState) (lines []string) {
	for {
		event, fresh := c.take(func(e *sdk.Event) bool { return e.Update != nil && e.Update.Status.TaskID == task }, scriptPatience)
		if event == nil {
			return append(lines, fmt.Sprintf("no %s came for %s", state, task))
		}
		if fresh {
			lines = append(lines, r.names.line(event))
		}
		if event.Update.Status.State == state {
			return lines
		}
	}
}

// names are the short names of ids: F1, A1, O1 in the order in which they are met.
type names struct {
	short map[string]string
	long  map[string]string
	count map[string]int
}

func newNames() names {
	return names{short: map[string]string{}, long: map[string]string{}, count: map[string]int{}}
}

func (n *names) of(kind, id string) string {
	if id == "" {
		return "-"
	}
	if n.short[id] == "" {
		n.count[kind]++
		name := kind + strconv.Itoa(n.count[kind])
		n.short[id], n.long[name] = name, id
	}
	return n.short[id]
}

// real is the id behind a short name; any other text is itself.
func (n *names) real(name string) string {
	if id := n.long[name]; id != "" {
		return id
	}
	return name
}

// text writes a message with short names, the longest ids first: one may be the
// beginning of another.
func (n *names) text(s string) string {
	ids := make([]string, 0, len(n.short))
	for id := range n.short {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return len(b) - len(a) })
	for _, id := range ids {
		s = strings.ReplaceAll(s, id, n.short[id])
	}
	// How much there is differs from cluster to cluster.
	if before, _, found := strings.Cut(s, " is more than available"); found {
		s = before + " is more than available …"
	}
	return s
}

// line writes an event.
func (n *names) line(e *sdk.Event) string {
	switch {
	case e.Subscribed != nil:
		return "SUBSCRIBED " + n.of("F", string(e.Subscribed.FrameworkID))
	case e.Offers != nil:
		var offers []string
		for i := range e.Offers.Offers {
			offers = append(offers, n.offer(&e.Offers.Offers[i]))
		}
		return "OFFERS " + strings.Join(offers, ", ")
	case e.Rescind != nil:
		return "RESCIND " + n.of("O", string(e.Rescind.OfferID))
	case e.Update != nil:
		return n.update(&e.Update.Status)
	case e.Error != nil:
		return fmt.Sprintf("ERROR %q", n.text(e.Error.Message))
	case e.Failure != nil:
		return "FAILURE " + n.of("A", string(e.Failure.AgentID)) + " " + string(e.Failure.ExecutorID)
	}
	return string(e.Type)
}

func (n *names) offer(o *sdk.Offer) string {
	kinds := map[string]bool{}
	for _, r := range o.Resources {
		kinds[r.Name] = true
	}
	var list []string
	for kind := range kinds {
		list = append(list, kind)
	}
	slices.Sort(list)
	role := "no role"
	if o.AllocationInfo != nil {
		role = "role " + o.AllocationInfo.Role
	}
	return fmt.Sprintf("%s on %s for %s: %s", n.of("O", string(o.ID)), n.of("A", string(o.AgentID)), role, strings.Join(list, " "))
}

// update writes a status. Only an end's message is written: on others it may tell
// of the user that a task runs as.
func (n *names) update(s *sdk.TaskStatus) string {
	line := fmt.Sprintf("UPDATE %s %s", short(string(s.TaskID)), s.State)
	if s.Source != "" {
		line += " " + string(s.Source)
	}
	if s.Reason != "" {
		line += " " + string(s.Reason)
	}
	if len(s.UUID) == 0 {
		line += " (no acknowledgement)"
	}
	if s.Message != "" && s.State != sdk.TaskRunning && s.State != sdk.TaskKilling && s.State != sdk.TaskStaging {
		line += fmt.Sprintf(" %q", n.text(s.Message))
	}
	return line
}

// short cuts an id that is long on purpose.
func short(id string) string {
	if len(id) > 40 {
		return fmt.Sprintf("%s… (%d bytes)", id[:8], len(id))
	}
	return id
}

func list(option string) []string {
	if option == "" {
		return nil
	}
	return strings.Split(option, ",")
}

func option(a arguments, key, or string) string {
	if v, ok := a.options[key]; ok {
		return v
	}
	return or
}

func scalar(name, value string) sdk.Resource {
	v, _ := strconv.ParseFloat(value, 64)
	return sdk.Resource{Name: name, Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: v}}
}

func grace(a arguments) *sdk.KillPolicy {
	seconds, err := strconv.ParseFloat(a.options["grace"], 64)
	if err != nil {
		return nil
	}
	return &sdk.KillPolicy{GracePeriod: &sdk.DurationInfo{Nanoseconds: int64(seconds * 1e9)}}
}

func refusal(a arguments, or string) *sdk.Filters {
	seconds, err := strconv.ParseFloat(option(a, "refuse", or), 64)
	if err != nil {
		return nil
	}
	return &sdk.Filters{RefuseSeconds: &seconds}
}
