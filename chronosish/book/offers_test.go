package book

import (
	"fmt"
	"testing"
	"time"

	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// dueAt is a job that runs once, so many seconds after the beginning, until it is ended.
func dueAt(name string, seconds int) *job.Job {
	at := time.Date(2026, 1, 1, 0, 0, seconds, 0, time.UTC)
	return &job.Job{Name: name, Schedule: "R1/" + at.Format(time.RFC3339) + "/3600", CPUs: 0.1, LostAfter: job.Seconds(300)}
}

// TestWhatComesDueMeanwhileGetsTheRest: a slot is decided while an offer is kept for
// another. Its revive comes before the answer to that offer, which must not keep the rest
// of it back: nothing else would bring it again before the other has ended.
func TestWhatComesDueMeanwhileGetsTheRest(t *testing.T) {
	w := newWorld(t.Fatalf)
	w.agents = w.agents[:1]
	if r := w.change(Change{Kind: Put, Jobs: []*job.Job{dueAt("first", 5), dueAt("second", 6)}}); r.Refusal != nil {
		t.Fatal(r.Refusal)
	}
	w.now = w.now.Add(5 * time.Second)
	w.step(mind.Tick{}) // the first is decided
	in := w.inputs
	w.inputs = nil
	w.step(in...) // and stored
	w.proffer()
	w.now = w.now.Add(time.Second)
	w.step(mind.Tick{}) // the second is decided, before the offer is there
	if len(w.inputs) != 2 {
		t.Fatalf("there is not the offer and then the decision, but %+v", w.inputs)
	}
	w.rest()
	if len(w.tasks) != 2 {
		t.Errorf("%d tasks run, and 2 jobs are due", len(w.tasks))
	}
}

// TestManyAtOnce: jobs that are due together are launched a part at a time, and each part
// brings about the next.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t.Fatalf)
	w.agents = []*machine{{name: "a1", cpus: 1 << 30}}
	w.boot()
	var jobs []*job.Job
	for i := range 250 {
		jobs = append(jobs, dueAt(fmt.Sprint("j", i), 5))
	}
	if r := w.change(Change{Kind: Put, Jobs: jobs}); r.Refusal != nil {
		t.Fatal(r.Refusal)
	}
	w.advance(4 * time.Second)
	before := w.txns
	w.advance(time.Second)
	if n := w.txns - before; len(w.tasks) != 250 || n > 10 {
		t.Errorf("%d of 250 run, after %d transactions", len(w.tasks), n)
	}
}

// TestWhatWaitsSaysForWhat: whatever it is that a run waits for.
func TestWhatWaitsSaysForWhat(t *testing.T) {
	w := newWorld(t.Fatalf)
	says := func(want string) {
		t.Helper()
		if st, _ := w.b.Job("a"); st.Waits != want {
			t.Errorf("it waits for %q, and is to wait for %q", st.Waits, want)
		}
	}
	for _, m := range w.agents {
		m.silent = true // no offers come
	}
	w.change(Change{Kind: Put, Jobs: []*job.Job{dueAt("a", 5)}})
	says("")
	w.advance(5 * time.Second)
	says("an offer of resources")
	w.step(mind.Disconnected{})
	says("a master that leads")
	w.agents[0].silent, w.agents[0].cpus = false, 100
	w.step(mind.Subscribed{})
	w.rest()
	says("")
	w.change(Change{Kind: RunNow, Names: []string{"a"}})
	says("the end of the run before it")
	w.agents[1].silent, w.agents[1].cpus = false, 100
	j := dueAt("a", 5)
	j.Concurrent, j.CPUs = true, 0.2
	w.change(Change{Kind: Put, Jobs: []*job.Job{j}})
	w.advance(time.Second) // a revive follows another after a moment
	says("resources: cpus:0.2 are needed on one agent, and the last offer has 0.1")
}
