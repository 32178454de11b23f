package book

import (
	"testing"

	"github.com/profferhq/proffer/chronosish/job"
)

// TestASwitchLosesNoChange: a job is disabled while another change of it is on its way, and
// has both afterwards, also for the next chronosish.
func TestASwitchLosesNoChange(t *testing.T) {
	w := newWorld(t.Fatalf)
	j := &job.Job{Name: "a", Schedule: "R/2026-01-01T00:00:05Z/60", Command: "old"}
	w.change(Change{Kind: Put, Jobs: []*job.Job{j}})
	changed := j.Clone()
	changed.Command = "new"
	w.inputs = append(w.inputs, Request{ID: 100, Change: Change{Kind: Put, Jobs: []*job.Job{changed}}}, Request{ID: 101, Change: Change{Kind: Switch, Names: []string{"a"}, Disabled: true}})
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
