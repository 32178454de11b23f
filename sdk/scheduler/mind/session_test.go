package mind_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// watching is a session with what is known of its tasks, the slow way.
type watching struct {
	t         *rapid.T
	s         mind.Session
	now       time.Time
	up        bool
	tasks     map[sdk.TaskID]*mind.Watched
	told      map[sdk.TaskID]bool
	last      time.Time // something was asked for
	refreshed time.Time
}

// asks checks that the effects ask for the tasks that which chooses, in their order.
func (w *watching) asks(effects []mind.Effect, strays bool, which func(sdk.TaskID) bool) {
	var got, want []sdk.TaskID
	for i, e := range effects {
		r := e.(mind.Reconcile)
		if empty := len(r.Tasks) == 0; empty != (strays && i == 0) {
			w.t.Fatalf("of %v the %dth asks for all", effects, i)
		}
		for _, q := range r.Tasks {
			if q.AgentID != agentOf(q.TaskID) {
				w.t.Fatalf("%s is asked for on %s", q.TaskID, q.AgentID)
			}
			got = append(got, q.TaskID)
		}
	}
	for id := range w.tasks {
		if which(id) {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	if w.last = w.now; !slices.Equal(got, want) {
		w.t.Fatalf("asked for %v, and not for %v", got, want)
	}
}

func agentOf(id sdk.TaskID) sdk.AgentID { return sdk.AgentID("on-" + id[len(id)-1:]) }

func every(sdk.TaskID) bool { return true }

func (w *watching) open() bool {
	for id := range w.tasks {
		if !w.told[id] {
			return true
		}
	}
	return false
}

// step does one thing, and again what is due.
func (w *watching) step() {
	id := sdk.TaskID(fmt.Sprint("t", rapid.IntRange(0, 5).Draw(w.t, "task")))
	task := w.tasks[id]
	switch what := rapid.IntRange(0, 7).Draw(w.t, "what"); {
	case what == 0:
		w.up, w.refreshed = true, w.now
		clear(w.told)
		w.asks(w.s.Begin(w.now), false, every)
	case what == 1:
		w.up = false
		w.s.End()
	case what == 2 && task == nil:
		w.tasks[id], w.told[id] = &mind.Watched{}, rapid.Bool().Draw(w.t, "told")
		w.s.Watch(w.tasks[id], id, agentOf(id), w.told[id])
	case what == 3 && task != nil:
		delete(w.tasks, id)
		w.s.Drop(task)
		w.s.Tell(task, false) // of one that is not watched: nothing
	case what == 4 && task != nil:
		w.told[id] = true
		w.s.Tell(task, true)
	case what == 5 && task != nil:
		w.told[id] = false
		if effects := w.s.Doubt(w.now, []*mind.Watched{task}); w.up {
			w.asks(effects, false, func(x sdk.TaskID) bool { return x == id })
		} else if effects != nil {
			w.t.Fatalf("asked without a subscription: %v", effects)
		}
	case what == 6:
		if effects := w.s.AgentFailed(w.now, agentOf(id)); w.up {
			w.asks(effects, false, func(x sdk.TaskID) bool { return agentOf(x) == agentOf(id) })
		} else if effects != nil {
			w.t.Fatalf("asked without a subscription: %v", effects)
		}
	default:
		w.now = w.now.Add(time.Duration(rapid.IntRange(0, 12).Draw(w.t, "seconds")) * time.Second)
	}
}

// again is what is asked for because time has passed.
func (w *watching) again() {
	due := time.Time{}
	switch {
	case !w.up:
	case w.open():
		due = w.last.Add(w.s.AskAgain)
	case len(w.tasks) > 0 || w.s.Strays:
		due = w.refreshed.Add(w.s.Refresh)
	}
	if got := w.s.Due(); !got.Equal(due) {
		w.t.Fatalf("due at %v, and not at %v", got, due)
	}
	effects := w.s.Again(w.now)
	switch {
	case due.IsZero() || w.now.Before(due):
		if effects != nil {
			w.t.Fatalf("asked too early: %v", effects)
		}
	case w.open():
		w.asks(effects, false, func(id sdk.TaskID) bool { return !w.told[id] })
	default:
		w.refreshed = w.now
		w.asks(effects, w.s.Strays, every)
	}
}

// TestSession holds a session against the slow one.
func TestSession(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &watching{
			t: t, now: time.Unix(1e9, 0), tasks: map[sdk.TaskID]*mind.Watched{}, told: map[sdk.TaskID]bool{},
			s: mind.Session{AskAgain: 5 * time.Second, Refresh: 20 * time.Second, KillRetry: time.Second, Strays: rapid.Bool().Draw(t, "strays")},
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w.step()
			w.again()
			if w.s.Up() != w.up || w.s.Accounted() != (w.up && !w.open()) {
				t.Fatalf("up: %v, accounted: %v; up: %v, told: %v of %v", w.s.Up(), w.s.Accounted(), w.up, w.told, w.tasks)
			}
			for id, x := range w.tasks {
				if x.Told() != w.told[id] {
					t.Fatalf("told of %s: %v", id, x.Told())
				}
			}
		}
	})
}

// TestOrphansWait: a task without a record is ended when the kernel has told of all others,
// and again while nothing comes of it.
func TestOrphansWait(t *testing.T) {
	s, now := mind.Session{AskAgain: time.Minute, Refresh: time.Hour, KillRetry: time.Second}, time.Unix(1e9, 0)
	var other mind.Watched
	s.Watch(&other, "known", "a", true)
	s.Begin(now)
	s.Orphans.Add("stranger", "b")
	if kills := s.Reap(now); kills != nil {
		t.Errorf("%v while one is not told of", kills)
	}
	s.Tell(&other, true)
	for range 2 {
		if kills := s.Reap(now); len(kills) != 1 || kills[0].Task != "stranger" || kills[0].Agent != "b" {
			t.Fatalf("%v", kills)
		}
		if kills := s.Reap(now); kills != nil || !s.Due().Equal(now.Add(time.Second)) {
			t.Errorf("%v again, due at %v", kills, s.Due())
		}
		now = now.Add(time.Second)
	}
	if s.End(); s.Reap(now) != nil || !s.Due().IsZero() {
		t.Error("killed without a subscription")
	}
}
