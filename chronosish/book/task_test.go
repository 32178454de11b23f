package book

import (
	"testing"
	"time"

	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
)

// TestAChildFindsItsParents: the run that parents have caused is told which of their runs
// those were, and a slot's run of none.
func TestAChildFindsItsParents(t *testing.T) {
	w := newWorld(t.Fatalf)
	jobs := []*job.Job{
		{Name: "a", Schedule: "R1/2026-01-01T00:00:05Z/60", CPUs: 0.1},
		{Name: "b", Schedule: "R1/2026-01-01T00:00:07Z/60", CPUs: 0.1},
		{Name: "child", Parents: []string{"a", "b"}, CPUs: 0.1},
	}
	if r := w.change(Change{Kind: Put, Jobs: jobs}); r.Refusal != nil {
		t.Fatal(r.Refusal)
	}
	w.advance(10 * time.Second)
	found := func(task sdk.TaskID) (ids, times string) {
		for _, v := range w.tasks[task].info.Command.Environment.Variables {
			switch v.Name {
			case "CHRONOS_JOB_PARENT_TASK_IDS":
				ids = v.Value
			case "CHRONOS_JOB_PARENT_RUN_TIMES":
				times = v.Value
			}
		}
		return ids, times
	}
	var parents string
	for _, id := range sortedKeys(w.tasks) {
		if ids, times := found(id); ids != "" || times != "" {
			t.Errorf("%s finds %q, %q", id, ids, times)
		}
		parents += " " + string(id)
	}
	w.endAll(sdk.TaskFinished)
	if len(w.tasks) != 1 {
		t.Fatalf("%d tasks run after the parents", len(w.tasks))
	}
	for id := range w.tasks {
		if ids, times := found(id); " "+ids != parents || times != "1767225605000 1767225607000" {
			t.Errorf("%s finds %q, %q; its parents are%s", id, ids, times, parents)
		}
	}
}

// TestZonesAreFoundOnce: the default of Parse keeps them.
func TestZonesAreFoundOnce(t *testing.T) {
	parse := Options{}.withDefaults().Parse
	j := &job.Job{Schedule: "R/2026-01-01T00:00:00/P1D", Zone: "Europe/Berlin"}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := parse(j); err != nil {
			t.Fatal(err)
		}
	}); n > 12 {
		t.Errorf("a schedule takes %v allocations", n)
	}
}
