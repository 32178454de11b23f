package ledger

import (
	"cmp"
	"path/filepath"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// TestAnyRecordMayBeLost (F11): of what each script leaves in the checkpoint every record is
// lost in turn. The ledger goes on with the rest of it: what it then writes is whole, it
// runs on, and of no task that it knew does it say that it never had it.
func TestAnyRecordMayBeLost(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	for _, path := range paths {
		r := newRig()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			answer := r.command(t, d)
			if answer == "" {
				answer = r.take()
			}
			loseEach(t, r)
			return answer
		})
	}
}

func loseEach(t *testing.T, r *rig) {
	t.Helper()
	var all []*Record
	var known []taskKey
	for _, data := range r.stored {
		rec := &Record{}
		if err := wire.Unmarshal(wire.Msgpack, data, rec); err != nil {
			t.Fatal(err)
		}
		if rec.Task != nil {
			known = append(known, taskKey{rec.Task.FrameworkID, rec.Task.Info.TaskID})
		}
		all = append(all, rec)
	}
	for lost := range all {
		l := New(DefaultOptions())
		for i, rec := range all {
			if i != lost {
				_ = l.Restore(rec) // what is about the lost one does not fit
			}
		}
		if l.agent == "" && (l.nonce == "" || len(l.frameworks) > 0) {
			if l.Holed(r.now) == nil {
				t.Fatalf("without record %d nobody knows which agent it is, and it goes on", lost)
			}
			continue
		}
		if err := l.Holed(r.now); err != nil {
			t.Fatal(err)
		}
		l.Step(r.now, Totals{Resources: nil})
		alive := map[string]bool{}
		for container := range l.executorAt {
			alive[container] = lost%2 == 0
		}
		l.Step(r.now, Recovered{BootID: "boot-1", Alive: alive})
		l.Ready()
		again := New(DefaultOptions())
		snap := l.Snapshot()
		for i := range snap {
			if err := again.Restore(&snap[i]); err != nil {
				t.Fatalf("without record %d: the new checkpoint's record %d does not fit: %v", lost, i, err)
			}
		}
		if again.holed != r.now.UnixNano() {
			t.Fatalf("without record %d: the loss is not written down", lost)
		}
		for _, key := range known {
			if s := askedFor(l, r.now, key); s.Reason == sdk.ReasonTaskUnknown {
				t.Fatalf("without record %d: of %s it is said that it was never here", lost, key.task)
			}
		}
		for range 5 {
			l.Step(r.now.Add(time.Minute), Tick{})
			l.Ready()
		}
		if s := askedFor(l, r.now.Add(25*time.Hour), taskKey{"f1", "no-such-task"}); s.Reason != sdk.ReasonTaskUnknown {
			t.Fatalf("after a day it still does not say what was never here: %+v", s)
		}
	}
}

// askedFor is the ledger's answer about a task.
func askedFor(l *Ledger, now time.Time, key taskKey) (s sdk.TaskStatus) {
	l.Step(now, Opened{Stream: 99})
	l.Step(now, FromMaster{Stream: 99, Event: &link.Event{Version: link.Version, Generation: 9, Term: 99, Type: link.EventRegistered,
		Registered: &link.Registered{AgentID: cmp.Or(l.agent, "agent-1"), HeartbeatSeconds: 5}}})
	l.Step(now, FromMaster{Stream: 99, Event: &link.Event{Version: link.Version, Generation: 9, Term: 99, Type: link.EventReconcile,
		Reconcile: &link.Reconcile{FrameworkID: key.framework, TaskID: key.task}}})
	for _, e := range l.Ready().Effects {
		if m, ok := e.(SendMaster); ok && m.Call.Type == link.CallReconciled {
			s = m.Call.Reconciled.Status
		}
	}
	return s
}
