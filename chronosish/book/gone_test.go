package book

import (
	"testing"
	"time"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// TestWhatIsGoneMayHaveRun: an attempt that was launched and is gone before it was seen
// running is not the same as one that its agent never had. The first may have run, and
// has no successor where lost ones have none.
func TestWhatIsGoneMayHaveRun(t *testing.T) {
	for _, c := range []struct {
		name string
		st   sdk.TaskStatus
		want due.Verdict
	}{
		{"its machine was restarted", sdk.TaskStatus{State: sdk.TaskGone, Reason: sdk.ReasonAgentRestarted, UUID: []byte("1")}, due.Lost},
		{"the same, as the answer to a question", sdk.TaskStatus{State: sdk.TaskGone, Message: "Reconciliation: Latest task state"}, due.Lost},
		{"an operator gave its agent up", sdk.TaskStatus{State: sdk.TaskGoneByOperator}, due.Lost},
		{"its agent never had it", sdk.TaskStatus{State: sdk.TaskGone, Message: sdk.MessageNeverHad}, due.Never},
		{"its agent dropped it", sdk.TaskStatus{State: sdk.TaskDropped, UUID: []byte("1")}, due.Never},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t.Fatalf)
			w.change(Change{Kind: Put, Jobs: []*job.Job{{Name: "j", Schedule: "R1/2026-01-01T00:00:01Z/60", CPUs: 0.1, LostAfter: job.Seconds(60)}}})
			w.step(mind.Tick{})
			for w.now.Second() < 2 && len(w.tasks) == 0 {
				w.advance(time.Second)
			}
			for id, launched := range w.tasks {
				launched.state = c.st.State
				c.st.TaskID, c.st.AgentID = id, launched.info.AgentID
				r := w.b.attempts[id]
				r.rec.Started = time.Time{} // as if RUNNING had never come
				w.inputs = append(w.inputs, mind.Update{Status: c.st})
			}
			w.rest()
			lines := w.b.History("j", 1)
			if len(lines) != 1 || lines[0].Outcome != string(c.want) || lines[0].Again != (c.want == due.Never) {
				t.Errorf("%+v, wanted %s", lines, c.want)
			}
		})
	}
}

// TestAnAgentThatFailedIsAskedAbout: an operator gives an agent up of whose tasks the leading
// master has not heard. It tells of the agent, and the answer for the attempt counts at once.
func TestAnAgentThatFailedIsAskedAbout(t *testing.T) {
	w, x := begun(t, &job.Job{Schedule: "R1/2026-01-01T00:00:01Z/60"})
	x.state = sdk.TaskGoneByOperator
	w.step(mind.AgentFailed{Agent: "another"})
	w.rest()
	if got := w.outcomes(); len(got) > 0 {
		t.Errorf("another agent failed: %q", got)
	}
	w.step(mind.AgentFailed{Agent: x.info.AgentID})
	w.rest()
	if got := w.outcomes(); len(got) != 1 || got[0] != string(due.Lost) {
		t.Errorf("its agent failed: %q", got)
	}
}
