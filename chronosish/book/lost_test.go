package book

import (
	"slices"
	"testing"
	"time"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// begun is a world in which one job's only task runs.
func begun(t *testing.T, j *job.Job) (*world, *task1) {
	t.Helper()
	w := newWorld(t.Fatalf)
	j.Name, j.CPUs, j.LostAfter = "a", 0.1, job.Seconds(10)
	w.change(Change{Kind: Put, Jobs: []*job.Job{j}})
	w.advance(2 * time.Second)
	if len(w.tasks) != 1 {
		t.Fatalf("%d tasks run", len(w.tasks))
	}
	return w, w.tasks[sortedKeys(w.tasks)[0]]
}

// outcomes are those of the history, newest first.
func (w *world) outcomes() (list []string) {
	for _, rec := range w.b.History("a", 0) {
		list = append(list, rec.Outcome)
	}
	return list
}

// TestWhoWasAwayAsksBeforeAnAttemptIsLost: an agent was unreachable when chronosish ended,
// and for longer than lostAfter nobody was there to be told. Only when the kernel says that
// it still is, the attempt is lost; a new chronosish counts from when it is there, because
// the last one may have had another clock.
func TestWhoWasAwayAsksBeforeAnAttemptIsLost(t *testing.T) {
	for name, restart := range map[string]func(*world){
		"chronosish was away":   (*world).boot,
		"the kernel was silent": func(w *world) { w.step(mind.Disconnected{}); w.advance(time.Minute); w.step(mind.Subscribed{}) },
	} {
		for _, back := range []bool{true, false} {
			w, x := begun(t, &job.Job{Schedule: "R1/2026-01-01T00:00:01Z/60"})
			w.silence(x.on, true)
			w.advance(2 * time.Second)
			if x.on.silent = !back; name == "chronosish was away" {
				w.now = w.now.Add(time.Minute)
			}
			restart(w)
			w.advance(time.Second)
			if name == "chronosish was away" {
				if len(w.outcomes()) > 0 {
					t.Errorf("%s: the history is %q after a second", name, w.outcomes())
				}
				w.advance(10 * time.Second)
			}
			want := []string(nil)
			if !back {
				want = []string{string(due.Lost)}
			}
			if got := w.outcomes(); !slices.Equal(got, want) || x.state != sdk.TaskRunning {
				t.Errorf("%s, and the agent is back: %t. The history is %q, and the task is %s", name, back, got, x.state)
			}
		}
	}
}

// TestALaterAbsenceCountsAnew: the agent came back while nobody was told, and was lost again.
func TestALaterAbsenceCountsAnew(t *testing.T) {
	w, x := begun(t, &job.Job{Schedule: "R1/2026-01-01T00:00:01Z/60"})
	w.silence(x.on, true)
	w.advance(5 * time.Second)
	again := &sdk.TimeInfo{Nanoseconds: w.now.UnixNano()}
	w.step(mind.Update{Status: sdk.TaskStatus{TaskID: x.info.TaskID, State: sdk.TaskUnreachable, UnreachableTime: again}})
	if w.advance(6 * time.Second); len(w.outcomes()) > 0 {
		t.Errorf("it is given up after 6 s: %q", w.outcomes())
	}
	if w.advance(5 * time.Second); !slices.Equal(w.outcomes(), []string{string(due.Lost)}) {
		t.Errorf("after 11 s the history is %q", w.outcomes())
	}
}

// TestWrongClocksMoveNoBound: the clocks of the leading master and of an agent are hours off,
// and what is counted from what they say is counted by this one's.
func TestWrongClocksMoveNoBound(t *testing.T) {
	for _, off := range []time.Duration{-5 * time.Hour, 0, 5 * time.Hour} {
		for name, row := range map[string]struct {
			most   int
			silent bool
			want   due.Verdict
		}{
			"lostAfter":         {silent: true, want: due.Lost},
			"maxCompletionTime": {most: 10, want: due.TimedOut},
		} {
			w := newWorld(t.Fatalf)
			w.leader = off
			for _, m := range w.agents {
				m.clock = off
			}
			w.change(Change{Kind: Put, Jobs: []*job.Job{{Name: "a", Schedule: "R1/2026-01-01T00:00:01Z/60", CPUs: 0.1, LostAfter: job.Seconds(10), MaxCompletion: row.most}}})
			w.advance(time.Second)
			if len(w.tasks) != 1 {
				t.Fatalf("%d tasks run", len(w.tasks))
			}
			x := w.tasks[sortedKeys(w.tasks)[0]]
			w.silence(x.on, row.silent)
			if w.advance(9 * time.Second); len(w.outcomes()) > 0 || x.killed {
				t.Errorf("%s, clocks ahead by %v: after 9 s the history is %q", name, off, w.outcomes())
			}
			w.advance(2 * time.Second)
			if !slices.Equal(w.outcomes(), []string{string(row.want)}) {
				t.Errorf("%s, clocks ahead by %v: after 11 s the history is %q", name, off, w.outcomes())
			}
		}
	}
}

// TestASuccessorsClockMovesNoBound: the next chronosish is on a machine whose clock is hours
// off the last one's, which was wrong, or is wrong itself; a new master with another clock
// leads, too. Nothing ends before its time, nor much later.
func TestASuccessorsClockMovesNoBound(t *testing.T) {
	clocks := []time.Duration{-5 * time.Hour, 0, 5 * time.Hour}
	for _, off := range clocks {
		for _, leader := range clocks {
			for what, right := range []string{"the last one", "the next one"} {
				for _, silent := range []bool{true, false} {
					if !silent && right == "the last one" && off > 0 && leader >= 0 {
						continue // two clocks agree that so much time has passed
					}
					w := newWorld(t.Fatalf)
					for _, m := range w.agents {
						m.clock = off * time.Duration(what)
					}
					w.leader = off * time.Duration(what)
					w.change(Change{Kind: Put, Jobs: []*job.Job{{Name: "a", Schedule: "R1/2026-01-01T00:00:01Z/60", CPUs: 0.1, LostAfter: job.Seconds(10), MaxCompletion: 10}}})
					w.advance(time.Second)
					x := w.tasks[sortedKeys(w.tasks)[0]]
					w.silence(x.on, silent)
					w.advance(3 * time.Second)
					w.now = w.now.Add(off)
					for _, m := range w.agents {
						m.since, m.clock = m.since.Add(off), m.clock-off
					}
					w.lost, w.leader = w.leader-off-leader, leader
					w.boot()
					if w.advance(3 * time.Second); len(w.outcomes()) > 0 || x.killed {
						t.Errorf("%s is right, the next is ahead by %v, the leader by %v, the agent silent: %t. After 6 s the history is %q", right, off, leader, silent, w.outcomes())
					}
					w.advance(9 * time.Second) // counts may begin again
					want := due.TimedOut
					if silent {
						want = due.Lost
					}
					if !slices.Equal(w.outcomes(), []string{string(want)}) {
						t.Errorf("%s is right, the next is ahead by %v, the leader by %v, the agent silent: %t. After 15 s the history is %q", right, off, leader, silent, w.outcomes())
					}
				}
			}
		}
	}
}

// TestASuccessorHearsOfAStart: an attempt is launched, and its start is told only to the next
// chronosish, whose clock is ahead; or it is told again to that one before it asks.
func TestASuccessorHearsOfAStart(t *testing.T) {
	for _, known := range []bool{false, true} {
		w, x := begun(t, &job.Job{Schedule: "R1/2026-01-01T00:00:01Z/60", MaxCompletion: 10})
		if !known {
			r := w.b.attempts[x.info.TaskID]
			r.rec.Started = time.Time{}
			w.store[runKey(&r.rec)] = string(put(runKey(&r.rec), &r.rec).Value)
			w.index[runKey(&r.rec)] = r.rec
		}
		x.pending = true
		w.now = w.now.Add(time.Hour)
		for _, m := range w.agents {
			m.clock = -time.Hour
		}
		w.leader = -time.Hour
		w.boot()
		if w.advance(5 * time.Second); len(w.outcomes()) > 0 || x.killed {
			t.Errorf("its start was known: %t. After 5 s the history is %q", known, w.outcomes())
		}
		if w.advance(6 * time.Second); !slices.Equal(w.outcomes(), []string{string(due.TimedOut)}) {
			t.Errorf("its start was known: %t. After 11 s the history is %q", known, w.outcomes())
		}
	}
}

// TestALostAttemptOfAnEarlierJobBlocksNoSlot: a job is destroyed while its attempt is on a
// lost machine, and made anew.
func TestALostAttemptOfAnEarlierJobBlocksNoSlot(t *testing.T) {
	w, x := begun(t, &job.Job{Schedule: "R1/2026-01-01T00:00:01Z/60"})
	w.silence(x.on, true)
	w.change(Change{Kind: Delete, Names: []string{"a"}})
	w.change(Change{Kind: Put, Jobs: []*job.Job{{Name: "a", Schedule: "R/2026-01-01T00:00:20Z/60", CPUs: 0.1, LostAfter: job.Seconds(10)}}})
	w.advance(20 * time.Second)
	if len(w.tasks) != 2 {
		t.Fatalf("%d tasks run; the history is %q", len(w.tasks), w.outcomes())
	}
	w.silence(x.on, false)
	w.advance(time.Second)
	if len(w.tasks) != 1 || x.state != sdk.TaskKilled || len(w.outcomes()) > 0 {
		t.Errorf("what came back is %s, and the new job's history %q", x.state, w.outcomes())
	}
}

// TestWhatSomebodyEndedIsNotTriedAgain: also where it is on a lost machine, and lost attempts
// have successors.
func TestWhatSomebodyEndedIsNotTriedAgain(t *testing.T) {
	w, x := begun(t, &job.Job{Schedule: "R1/2026-01-01T00:00:01Z/60", Retries: 2, RetryOnLost: true})
	w.silence(x.on, true)
	w.change(Change{Kind: Kill, Names: []string{"a"}})
	w.advance(time.Minute)
	if !slices.Equal(w.outcomes(), []string{string(due.Killed)}) || len(w.tasks) > 1 {
		t.Errorf("the history is %q, and %d tasks run", w.outcomes(), len(w.tasks))
	}
	w.silence(x.on, false)
	w.advance(time.Second)
	if got := w.outcomes(); len(got) < 2 || got[0] != Returned {
		t.Errorf("after its return the history is %q", got)
	}
}

// TestWhatNeverStartedKeepsToItsWindow: an attempt that its agent never had is no start.
func TestWhatNeverStartedKeepsToItsWindow(t *testing.T) {
	w, x := begun(t, &job.Job{Schedule: "R1/2026-01-01T00:00:01Z/60", Epsilon: window(5)})
	r := w.b.attempts[x.info.TaskID]
	r.rec.Started = time.Time{} // as if its launch had never come
	w.now = w.now.Add(10 * time.Second)
	x.state = sdk.TaskDropped
	w.tell(x, false)
	w.advance(time.Minute)
	if got := w.outcomes(); !slices.Equal(got, []string{Skipped, string(due.Never)}) || len(w.tasks) > 0 {
		t.Errorf("the history is %q, and %d tasks run", got, len(w.tasks))
	}
}

// TestWhatHasBegunStandsFirst: a run waits behind another one of its job, and its clock said
// an earlier time. The next chronosish does not launch it beside the one that goes on.
func TestWhatHasBegunStandsFirst(t *testing.T) {
	w, _ := begun(t, &job.Job{Schedule: "R1/2026-01-01T00:00:01Z/60"})
	w.now = w.now.Add(-time.Minute)
	w.change(Change{Kind: RunNow, Names: []string{"a"}})
	w.boot()
	if w.advance(2 * time.Second); len(w.tasks) != 1 {
		t.Fatalf("%d tasks run at once", len(w.tasks))
	}
	w.endAll(sdk.TaskFinished)
	if w.advance(2 * time.Second); len(w.tasks) != 1 || !slices.Equal(w.outcomes(), []string{string(due.Succeeded)}) {
		t.Errorf("%d tasks run afterwards; the history is %q", len(w.tasks), w.outcomes())
	}
}
