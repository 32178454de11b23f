package book

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

func secondly(name string) *job.Job {
	return &job.Job{Name: name, Schedule: "R/2026-01-01T00:00:05Z/1", Epsilon: window(10), CPUs: 0.1, LostAfter: job.Seconds(60)}
}

// full makes a world with jobs whose store has room for so many bytes more.
func full(t *testing.T, room int, jobs ...*job.Job) *world {
	t.Helper()
	w := newWorld(t.Fatalf)
	if r := w.change(Change{Kind: Put, Jobs: jobs}); r.Refusal != nil {
		t.Fatal(r.Refusal)
	}
	w.limit = bytes(w.store) + room
	w.advance(4 * time.Second) // its first slot is at 5
	return w
}

// TestTheHistoryMakesRoomForLaunches: in a store that is full of history each slot is
// launched the moment it is due, and what goes of the history is the oldest.
func TestTheHistoryMakesRoomForLaunches(t *testing.T) {
	w := full(t, 20_000, secondly("second"))
	for i := range 300 {
		w.advance(time.Second)
		if len(w.started) != i+1 {
			t.Fatalf("%d launches after %d slots: %+v", len(w.started), i+1, w.b.outbox)
		}
		w.endAll(sdk.TaskFinished)
	}
	lines := w.b.History("second", 0)
	if len(w.dropped) == 0 || len(lines) < 10 || !lines[0].Nominal.Equal(w.now.Truncate(time.Second)) || len(w.unwritten) > 0 {
		t.Errorf("%d lines were dropped, %d are left, %d were not written", len(w.dropped), len(lines), len(w.unwritten))
	}
	if last := w.dropped[len(w.dropped)-1]; !last.Nominal.Before(lines[len(lines)-1].Nominal) {
		t.Errorf("the line of %v was dropped before that of %v", last.Nominal, lines[len(lines)-1].Nominal)
	}
	w.verifyHistory()
}

// TestASkippedSlotIsKeptBeforeOldHistory: a store that is full when nobody was there: what
// is skipped then is written down, older lines go for it.
func TestASkippedSlotIsKeptBeforeOldHistory(t *testing.T) {
	w := full(t, 3000, secondly("second"))
	for w.dropped == nil {
		w.advance(time.Second)
		w.endAll(sdk.TaskFinished)
	}
	w.now = w.now.Add(10 * time.Minute)
	w.boot()
	w.advance(time.Second)
	for _, rec := range w.b.History("second", 0) {
		if rec.Outcome == Skipped && rec.Count > 500 {
			w.verifyHistory()
			return
		}
	}
	t.Errorf("the history is %+v; not written down were %+v", w.b.History("second", 0), w.unwritten)
}

// TestLaunchesGoOnWithoutRoomForHistory: where there is no room for the line of a run's
// end, the end is stored without it, and the next slot is launched.
func TestLaunchesGoOnWithoutRoomForHistory(t *testing.T) {
	unwritten := 0
	for room := 500; room < 1000; room += 20 {
		w := full(t, room, secondly("second"))
		for i := range 20 {
			w.advance(time.Second)
			w.endAll(sdk.TaskFinished)
			if len(w.started) != i+1 {
				t.Fatalf("room for %d bytes: %d launches after %d slots: %d postings wait", room, len(w.started), i+1, w.b.outbox.Waiting())
			}
		}
		unwritten += len(w.unwritten)
		w.verifyHistory()
	}
	if unwritten == 0 {
		t.Error("all was written down")
	}
}

// TestADeletionPassesWhatWaitsForRoom: no room for a launch; a job that is deleted makes
// some.
func TestADeletionPassesWhatWaitsForRoom(t *testing.T) {
	big := &job.Job{Name: "big", Command: strings.Repeat("x", 5000), Schedule: "R1/2027-01-01T00:00:00Z/1", LostAfter: job.Seconds(60)}
	w := full(t, 10, big, secondly("second"))
	w.advance(3 * time.Second)
	if len(w.started) != 0 || w.b.outbox.Waiting() == 0 {
		t.Fatalf("%d launches without room", len(w.started))
	}
	if r := w.change(Change{Kind: Put, Jobs: []*job.Job{{Name: "more", Command: strings.Repeat("x", 5000), Schedule: "R/2027-01-01T00:00:00Z/1"}}}); r.Refusal == nil || r.Refusal.(*job.Refusal).Status != 503 {
		t.Errorf("a job more: %+v", r)
	}
	if r := w.change(Change{Kind: Delete, Names: []string{"big"}}); r.ID == 0 || r.Refusal != nil {
		t.Fatalf("the deletion: %+v", r)
	}
	w.advance(w.b.opt.FullPause)
	if len(w.started) == 0 {
		t.Error("nothing is launched although there is room")
	}
}

// TestDefinitionsLeaveRoom: they have half of the space, and a parent has so many children
// as it can tell at once.
func TestDefinitionsLeaveRoom(t *testing.T) {
	w := newWorld(t.Fatalf)
	w.b.opt.SpaceBytes, w.b.opt.MaxChildren = 40_000, 3
	sized := func(name string, n int) Change {
		return Change{Kind: Put, Jobs: []*job.Job{{Name: name, Command: strings.Repeat("x", n), Schedule: "R/2027-01-01T00:00:00Z/1"}}}
	}
	accepted := func(c Change, want bool, what string) {
		t.Helper()
		if r := w.change(c); (r.Refusal == nil) != want {
			t.Errorf("%s: %v", what, r.Refusal)
		}
	}
	accepted(sized("a", 9000), true, "a quarter")
	accepted(sized("b", 12_000), false, "more than the other quarter")
	accepted(sized("b", 8000), true, "the other quarter")
	accepted(sized("b", 20_000), false, "a job that grows")
	accepted(sized("b", 100), true, "a job that shrinks")
	accepted(sized("c", 6000), true, "what has come free")
	accepted(Change{Kind: Delete, Names: []string{"a"}}, true, "a deletion")
	w.boot()
	w.b.opt.SpaceBytes, w.b.opt.MaxChildren = 40_000, 3
	accepted(sized("a", 9000), true, "the same again, after a restart")
	for i := range 3 {
		accepted(Change{Kind: Put, Jobs: []*job.Job{{Name: fmt.Sprint("child", i), Parents: []string{"a"}}}}, true, "a child")
	}
	accepted(Change{Kind: Put, Jobs: []*job.Job{{Name: "child3", Parents: []string{"a"}}}}, false, "a child too many")
	accepted(Change{Kind: Put, Jobs: []*job.Job{{Name: "child2", Parents: []string{"a", "b"}}}}, true, "the same child")
}

// TestASuccessWantsRoom: a success that a client tells is refused where there is no room for
// it, and then nothing has happened; neither is anything left of it where chronosish ends
// before it could be counted.
func TestASuccessWantsRoom(t *testing.T) {
	parent := &job.Job{Name: "parent", Schedule: "R1/2027-01-01T00:00:00Z/1"}
	child, big := &job.Job{Name: "child", Parents: []string{"parent"}}, &job.Job{Name: "big", Command: strings.Repeat("x", 5000), Schedule: "R1/2027-01-01T00:00:00Z/1"}
	w := full(t, 100, parent, child, big)
	mark := func() mind.Reply[Outcome] { return w.change(Change{Kind: Succeed, Names: []string{"parent"}}) }
	before := fmt.Sprint(w.store)
	state := func() string {
		st, _ := w.b.Job("parent")
		of, _ := w.b.Job("child")
		return fmt.Sprintf("%d successes, %d and %d runs of the child", st.Successes, len(of.Runs), of.Successes)
	}
	if r := mark(); r.Refusal == nil || r.Refusal.(*job.Refusal).Status != 503 || state() != "0 successes, 0 and 0 runs of the child" || fmt.Sprint(w.store) != before {
		t.Fatalf("%v; %s", r.Refusal, state())
	}
	if w.advance(time.Minute); fmt.Sprint(w.store) != before || w.b.outbox.Waiting() > 0 {
		t.Fatal("something happens later")
	}
	w.change(Change{Kind: Delete, Names: []string{"big"}})
	w.step(mind.Request[Change]{ID: 99, Change: Change{Kind: Succeed, Names: []string{"parent"}}})
	w.store["room/99"] = strings.Repeat("x", 500) // as if only this had been written
	if w.boot(); w.store["room/99"] != "" {
		t.Error("room is taken for ever")
	}
	w.advance(time.Second)
	counted, _ := w.b.Job("parent")
	was := counted.Successes
	if r := mark(); r.Refusal != nil {
		t.Fatal(r.Refusal)
	}
	st, _ := w.b.Job("parent")
	w.advance(time.Second)
	w.endAll(sdk.TaskFinished)
	if of, _ := w.b.Job("child"); st.Successes != was+1 || of.Successes == 0 {
		t.Errorf("%d successes after %d, %s", st.Successes, was, state())
	}
	for key := range w.store {
		if strings.HasPrefix(key, keyRoom) {
			t.Errorf("%s is left", key)
		}
	}
}

// TestAClientTakesNoHistory: what a client wants does not cost the history its quarter.
func TestAClientTakesNoHistory(t *testing.T) {
	big := &job.Job{Name: "big", Command: strings.Repeat("x", 50_000), Schedule: "R1/2027-01-01T00:00:00Z/1"}
	off := secondly("off")
	off.Disabled = true
	w := full(t, 6000, big, secondly("second"), off)
	for range 8 {
		w.advance(time.Second)
		w.endAll(sdk.TaskFinished)
	}
	n := len(w.b.History("second", 0))
	if r := w.change(Change{Kind: Put, Jobs: []*job.Job{{Name: "more", Command: strings.Repeat("x", 5000), Schedule: "R/2027-01-01T00:00:00Z/1"}}}); r.Refusal == nil {
		t.Error("a job is accepted for which there is no room")
	}
	on := secondly("off")
	on.Command = strings.Repeat("x", 5000)
	if r := w.change(Change{Kind: Put, Jobs: []*job.Job{on}}); r.Refusal == nil {
		t.Error("a job is enabled, and grows, for which there is no room")
	}
	if left := len(w.b.History("second", 0)); n == 0 || left < n {
		t.Errorf("of %d lines %d are left", n, left)
	}
	w.verifyHistory()
}
