package linear

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// play writes a history of lines "at client begin kind key …" and "at client end …"; the
// clock of the history does not matter, only the order.
func play(t *testing.T, steps ...any) *History {
	t.Helper()
	h := &History{}
	open := map[int]Pending{}
	for i := 0; i < len(steps); i += 2 {
		who, ok := steps[i].(int)
		if !ok {
			t.Fatalf("step %d is no client", i)
		}
		switch s := steps[i+1].(type) {
		case Call:
			s.Key = "k"
			open[who] = h.Begin(who, s)
		case Answer:
			open[who].Done(s)
		}
	}
	return h
}

func TestCheck(t *testing.T) {
	put := func(v string) Call { return Call{Kind: Put, Value: v} }
	swap := func(old, v string) Call { return Call{Kind: Swap, Old: old, Value: v} }
	get, del := Call{Kind: Get}, Call{Kind: Delete}
	read := func(v string) Answer { return Answer{Value: v} }
	done, held, unknown := Answer{}, Answer{Held: true}, Answer{Unknown: true}
	for name, row := range map[string]struct {
		good  bool
		steps []any
	}{
		"a write is read":                  {true, []any{1, put("a"), 1, done, 2, get, 2, read("a")}},
		"a stale read":                     {false, []any{1, put("a"), 1, done, 1, put("b"), 1, done, 2, get, 2, read("a")}},
		"a read during a write":            {true, []any{1, put("a"), 2, get, 2, read(""), 3, get, 3, read("a"), 1, done}},
		"back in time":                     {false, []any{1, put("a"), 2, get, 2, read("a"), 3, get, 3, read(""), 1, done}},
		"a lost write":                     {false, []any{1, put("a"), 1, done, 2, get, 2, read("")}},
		"a swap that held":                 {true, []any{1, swap("", "a"), 1, held, 2, swap("a", "b"), 2, held, 1, get, 1, read("b")}},
		"two swaps of the same":            {false, []any{1, swap("", "a"), 2, swap("", "b"), 1, held, 2, held}},
		"a swap that did not hold":         {true, []any{1, put("a"), 1, done, 2, swap("b", "c"), 2, done}},
		"one that should have held":        {false, []any{1, put("a"), 1, done, 2, swap("a", "c"), 2, done}},
		"deleted":                          {true, []any{1, put("a"), 1, done, 2, del, 2, done, 1, swap("", "b"), 1, held}},
		"a delete undone":                  {false, []any{1, put("a"), 1, done, 2, del, 2, done, 1, get, 1, read("a")}},
		"unknown, done at once":            {true, []any{1, put("a"), 1, unknown, 2, get, 2, read("a")}},
		"unknown, done late":               {true, []any{1, put("a"), 1, unknown, 2, put("b"), 2, done, 2, get, 2, read("b"), 2, get, 2, read("a")}},
		"unknown, never done":              {true, []any{1, put("a"), 1, unknown, 2, get, 2, read("")}},
		"unknown, done and undone":         {false, []any{1, put("a"), 1, unknown, 2, get, 2, read("a"), 2, get, 2, read("")}},
		"an unknown swap":                  {true, []any{1, swap("", "a"), 1, unknown, 2, swap("a", "b"), 2, held}},
		"an unknown swap that cannot hold": {false, []any{2, put("z"), 2, done, 1, swap("", "a"), 1, unknown, 2, get, 2, read("a")}},
		"read before it was written":       {false, []any{2, get, 2, read("a"), 1, put("a"), 1, unknown}},
	} {
		err := play(t, row.steps...).Check(10 * time.Second)
		if (err == nil) != row.good || err != nil && !strings.Contains(err.Error(), "fit no order") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUndecided: what is not judged in time is no success.
func TestUndecided(t *testing.T) {
	h := &History{}
	var all []Pending
	for i := range 40 {
		all = append(all, h.Begin(i, Call{Kind: Put, Key: "k", Value: fmt.Sprint(i)}))
	}
	for _, p := range all {
		p.Done(Answer{Unknown: true})
	}
	for _, v := range []string{"1", "2", "1"} {
		h.Begin(99, Call{Kind: Get, Key: "k"}).Done(Answer{Value: v})
	}
	if err := h.Check(50 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "could not be judged") {
		t.Errorf("%v", err)
	}
	if known, unknown := h.Counts(); known[Get] != 3 || unknown != 40 {
		t.Errorf("%v, %d", known, unknown)
	}
}
