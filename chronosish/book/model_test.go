package book

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

func window(s int) *job.Duration { d := job.Seconds(s); return &d }

// TestEachSlotIsDecidedOnce: jobs of all kinds, under crashes at any effect, agents that
// go and come back, ends of all kinds, and a store that is full at times. In the end each
// slot has one fate in the store, each attempt was launched once at most, and a child has
// run after its parents.
func TestEachSlotIsDecidedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t.Fatalf)
		w.opt.MaxWrites, w.opt.MaxWaiting = rapid.IntRange(60, 200).Draw(t, "writes"), rapid.IntRange(1, 30).Draw(t, "waiting")
		w.opt.HistoryBytes, w.opt.MaxLaunches = 1<<30, 20
		off := rapid.IntRange(-5, 5)
		w.leader = time.Duration(off.Draw(t, "the leader's clock")) * time.Hour
		for _, m := range w.agents {
			m.clock = time.Duration(off.Draw(t, "the agent's clock")) * time.Hour
		}
		w.boot()
		begin := w.now
		jobs := []*job.Job{
			{Name: "latest", Schedule: "R/2026-01-01T00:00:00Z/2"},
			{Name: "window", Schedule: "R/2026-01-01T00:00:00Z/1", Epsilon: window(rapid.IntRange(0, 20).Draw(t, "epsilon")), Retries: 1},
			{Name: "several", Schedule: "R/2026-01-01T00:00:01Z/3", Epsilon: window(60), Concurrent: true, Retries: 2, RetryOnLost: true},
			{Name: "once", Schedule: "R3/2026-01-01T00:00:05Z/5", MaxCompletion: 4, Retries: 1},
			{Name: "child", Parents: []string{"once", "several"}, SoftError: true},
			{Name: "grandchild", Parents: []string{"child"}},
		}
		for _, j := range jobs {
			j.CPUs, j.LostAfter = 0.1, job.Seconds(10)
			j.RetryDelay = job.Seconds(1)
		}
		if r := w.change(Change{Kind: Put, Jobs: jobs}); r.Refusal != nil {
			t.Fatal(r.Refusal)
		}
		for range rapid.IntRange(1, 40).Draw(t, "actions") {
			act(t, w)
		}
		w.limit = 0
		for _, m := range w.agents {
			w.silence(m, false)
		}
		for range 20 {
			w.advance(time.Second)
			w.endAll(sdk.TaskFinished)
		}
		w.verify(begin, jobs)
	})
}

func act(t *rapid.T, w *world) {
	switch rapid.IntRange(0, 13).Draw(t, "what") {
	case 0, 1, 2, 3:
		w.advance(time.Duration(rapid.IntRange(1, 4000).Draw(t, "ms")) * time.Millisecond)
	case 4:
		w.after = rapid.IntRange(0, 6).Draw(t, "crash")
		w.advance(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
	case 5:
		w.boot()
	case 6, 7, 8, 9:
		for _, id := range sortedKeys(w.tasks) {
			if x := w.tasks[id]; x == nil || x.on.silent || due.Terminal(x.state) {
				continue
			}
			switch rapid.IntRange(0, 5).Draw(t, "end") {
			case 0, 1, 2:
				w.end(id, sdk.TaskFinished)
			case 3:
				w.end(id, sdk.TaskFailed)
			case 4:
				w.after = rapid.IntRange(0, 3).Draw(t, "crash")
				w.end(id, sdk.TaskFinished)
				w.rest()
			}
		}
	case 10:
		m := w.agents[rapid.IntRange(0, 1).Draw(t, "agent")]
		w.silence(m, !m.silent)
	case 11:
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "gap")) * time.Second) // nobody is there
		w.boot()
	case 12:
		w.again()
	case 13:
		if w.limit > 0 {
			w.limit = 0
		} else {
			w.limit = bytes(w.store) + rapid.IntRange(0, 2000).Draw(t, "room")
			w.b.opt.FullPause = time.Second
		}
	}
}

// again has agents say again what was not acknowledged.
func (w *world) again() {
	for _, id := range sortedKeys(w.tasks) {
		if x := w.tasks[id]; x.pending && !x.on.silent {
			w.tell(x, false)
		}
	}
}

// silence parts an agent from the kernel, or brings it back.
func (w *world) silence(m *machine, silent bool) {
	if m.silent == silent {
		return
	}
	m.silent, m.since = silent, w.now
	for _, id := range sortedKeys(w.tasks) {
		t := w.tasks[id]
		if t.on != m {
			continue
		}
		w.tell(t, false)
		if !silent && t.killed && !due.Terminal(t.state) {
			w.end(id, sdk.TaskKilled)
		}
	}
	for id, x := range w.offers {
		if x == m && silent {
			delete(w.offers, id)
			w.inputs = append(w.inputs, mind.Rescinded{Offer: id})
		}
	}
	w.rest()
}

func (w *world) endAll(state sdk.TaskState) {
	for _, id := range sortedKeys(w.tasks) {
		if t := w.tasks[id]; !t.on.silent && !due.Terminal(t.state) {
			w.end(id, state)
		}
	}
	w.rest()
}

// verify looks at the store: one fate for each slot.
func (w *world) verify(begin time.Time, jobs []*job.Job) {
	fates := map[string][]string{}
	key := func(name string, at time.Time) string { return fmt.Sprint(name, " ", at.Unix()) }
	for _, r := range w.records() {
		if r.Cause == BySlot {
			fates[key(r.Job, r.Nominal)] = append(fates[key(r.Job, r.Nominal)], "runs")
		}
	}
	for _, rec := range w.lines() {
		switch {
		case rec.Cause != BySlot:
			if rec.Outcome != Skipped && rec.Cause == ByParents && len(rec.Parents) == 0 {
				w.fail("a child ran without its parents: %+v", rec)
			}
		case rec.Outcome == Skipped:
			s, n := w.b.jobs[rec.Job].schedule, int64(0)
			for at, ok := rec.Nominal, true; ok && !at.After(rec.Last); at, _, ok = s.Next(at) {
				fates[key(rec.Job, at)] = append(fates[key(rec.Job, at)], "skipped: "+rec.Reason)
				n++
			}
			if n != rec.Count {
				w.fail("%d slots are skipped by %+v", n, rec)
			}
		case rec.Outcome != Returned && !rec.Again:
			fates[key(rec.Job, rec.Nominal)] = append(fates[key(rec.Job, rec.Nominal)], rec.Outcome)
		}
	}
	unwritten := map[string]bool{}
	for _, rec := range w.unwritten { // perhaps: a crash may have come before it was given up
		s := w.b.jobs[rec.Job].schedule
		for at, ok := rec.Nominal, s != nil; ok && (rec.Outcome == Skipped && !at.After(rec.Last) || at.Equal(rec.Nominal)); at, _, ok = s.Next(at) {
			unwritten[key(rec.Job, at)] = true
		}
	}
	w.verifyHistory()
	for _, j := range jobs {
		if j.Dependent() {
			continue
		}
		s := w.b.jobs[j.Name].schedule
		st, _ := w.b.Job(j.Name)
		if st.Exhausted && len(st.Runs) > 0 {
			w.fail("a run of %s never comes to its end: %+v", j.Name, st.Runs)
		}
		for at, _, ok := s.Next(begin.Add(-1)); ok && !at.After(w.now.Add(-25*time.Second)); at, _, ok = s.Next(at) {
			got := fates[key(j.Name, at)]
			if len(got) != 1 && !unwritten[key(j.Name, at)] && (len(got) > 1 || !at.After(st.Handled)) {
				w.fail("the slot %v of %s has the fates %q", at, j.Name, got)
			}
		}
	}
	w.verifyChildren()
}

// verifyHistory: the book knows of the lines that are in the store, and of no others.
func (w *world) verifyHistory() {
	known, bytes := map[string]bool{}, 0
	for _, l := range w.b.history.lines {
		if l.gone {
			continue
		}
		key := historyKey(l.rec)
		known[key] = true
		bytes += len(key) + len(w.store[key]) + lineOverhead
		if _, ok := w.store[key]; !ok {
			w.fail("the line %s is not in the store", key)
		}
	}
	for key := range w.store {
		if strings.HasPrefix(key, keyHistory) && !known[key] {
			w.fail("the book does not know of the line %s", key)
		}
	}
	if bytes != w.b.history.bytes || len(w.b.history.pending) > 0 {
		w.fail("the history has %d bytes, and is thought to have %d; %d lines are on their way", bytes, w.b.history.bytes, len(w.b.history.pending))
	}
}

// verifyChildren: no attempt of a parent has caused two runs of the same child.
func (w *world) verifyChildren() {
	used, ended := map[string]string{}, map[string]bool{}
	lines := w.lines()
	for _, rec := range lines {
		ended[string(rec.TaskID)] = true
	}
	for _, rec := range w.unwritten {
		ended[string(rec.TaskID)] = true
	}
	for _, rec := range lines {
		for _, p := range rec.Parents {
			k := rec.Job + " " + p
			if run := used[k]; run != "" && run != rec.Run {
				w.fail("%s has caused the runs %s and %s of %s", p, run, rec.Run, rec.Job)
			}
			if used[k] = rec.Run; !ended[p] {
				w.fail("%s, which has caused a run of %s, has never ended", p, rec.Job)
			}
		}
	}
}

// TestWhatIsDueTogetherSharesTransactions: thousands of slots at one moment.
func TestWhatIsDueTogetherSharesTransactions(t *testing.T) {
	w := newWorld(t.Fatalf)
	for _, m := range w.agents {
		m.cpus = 1_000_000
	}
	var jobs []*job.Job
	for i := range 3000 {
		jobs = append(jobs, &job.Job{Name: fmt.Sprint("j", i), Schedule: "R1/2026-01-01T00:01:00Z/60", CPUs: 0.1, LostAfter: job.Seconds(300)})
	}
	if r := w.change(Change{Kind: Put, Jobs: jobs}); r.Refusal != nil {
		t.Fatal(r.Refusal)
	}
	w.txns = 0
	w.advance(61 * time.Second)
	if len(w.tasks) != 3000 || w.txns > 12 {
		t.Errorf("%d tasks run, after %d transactions", len(w.tasks), w.txns)
	}
	w.txns = 0
	w.endAll(sdk.TaskFinished)
	if len(w.records()) != 0 || w.txns > 12 {
		t.Errorf("%d records are left, after %d transactions", len(w.records()), w.txns)
	}
	if _, ok := w.b.Job("j7"); !ok || w.open {
		t.Error("offers are taken although nothing is due")
	}
}
