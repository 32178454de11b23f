package book

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// TestASwitchLosesNoChange: a job is disabled while another change of it is on its way, and
// has both afterwards, also for the next chronosish.
func TestASwitchLosesNoChange(t *testing.T) {
	w := newWorld(t.Fatalf)
	j := &job.Job{Name: "a", Schedule: "R/2026-01-01T00:00:05Z/60", Command: "old"}
	w.change(Change{Kind: Put, Jobs: []*job.Job{j}})
	changed := j.Clone()
	changed.Command = "new"
	w.inputs = append(w.inputs, mind.Request[Change]{ID: 100, Change: Change{Kind: Put, Jobs: []*job.Job{changed}}}, mind.Request[Change]{ID: 101, Change: Change{Kind: Switch, Names: []string{"a"}, Disabled: true}})
	w.rest()
	for range 2 {
		if got := w.b.jobs["a"].job; got.Command != "new" || !got.Disabled || got.Version != 3 {
			t.Errorf("the job is %+v", got)
		}
		w.boot()
	}
	if r := w.change(Change{Kind: Switch, Names: []string{"a"}, Disabled: true}); r.Refusal != nil || r.Outcome.Change {
		t.Errorf("disabled again: %+v", r)
	}
	if r := w.change(Change{Kind: Switch, Names: []string{"b"}}); r.Refusal == nil {
		t.Error("a job that is not there is enabled")
	}
}

// TestADisabledJobStartsNothing: what waits when a job is disabled does not start any more:
// slots behind a run that goes on, and what parents have caused. That run goes on with its
// retries, and a run by hand runs.
func TestADisabledJobStartsNothing(t *testing.T) {
	w := newWorld(t.Fatalf)
	jobs := []*job.Job{
		{Name: "slots", Schedule: "R/2026-01-01T00:00:01Z/2", Epsilon: window(60), Retries: 1},
		{Name: "parent", Schedule: "R1/2026-01-01T00:01:00Z/60"},
		{Name: "child", Parents: []string{"parent"}},
	}
	for _, j := range jobs {
		j.CPUs, j.LostAfter = 0.1, job.Seconds(300)
	}
	w.change(Change{Kind: Put, Jobs: jobs})
	w.change(Change{Kind: Succeed, Names: []string{"parent"}})
	w.change(Change{Kind: Succeed, Names: []string{"parent"}})
	w.advance(6 * time.Second) // slots are due at 1, 3 and 5
	w.change(Change{Kind: Switch, Names: []string{"slots", "child"}, Disabled: true})
	w.change(Change{Kind: RunNow, Names: []string{"slots"}})
	w.endAll(sdk.TaskFailed)
	w.advance(time.Second)
	w.endAll(sdk.TaskFinished)
	w.advance(time.Second)
	w.endAll(sdk.TaskFinished)
	w.advance(time.Minute)
	var got []string
	for _, name := range []string{"child", "slots"} {
		for _, rec := range slices.Backward(w.b.History(name, 0)) {
			got = append(got, fmt.Sprint(name, " ", rec.Cause, " ", rec.Outcome))
		}
	}
	want := []string{
		"child parents SKIPPED", "child parents FAILED",
		"slots slot SKIPPED", "slots slot SKIPPED", "slots slot FAILED", "slots slot SUCCEEDED", "slots hand SUCCEEDED",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the history is %q, wanted %q", got, want)
	}
}

// TestTheHistoryOfDestroyedJobsTakesNoRoom: not in the memory either.
func TestTheHistoryOfDestroyedJobsTakesNoRoom(t *testing.T) {
	w := newWorld(t.Fatalf)
	for range 20 {
		w.change(Change{Kind: Put, Jobs: []*job.Job{{Name: "a", Schedule: "R1//60", CPUs: 0.1}}})
		w.advance(time.Second)
		w.endAll(sdk.TaskFinished)
		w.change(Change{Kind: Delete, Names: []string{"a"}})
		w.now = w.now.Add(time.Second)
	}
	if c := w.b.Counts(); c.History+c.HistoryBytes > 0 {
		t.Errorf("%d lines of %d bytes are left", c.History, c.HistoryBytes)
	}
}
