package view

import (
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

func (v *View) addTask(t *sdk.Task) {
	f := v.frameworks[t.FrameworkID]
	if f == nil {
		return // of a framework that was removed
	}
	c := *t
	f.place(&c, v.opt.CompletedTasks)
}

func (v *View) updateTask(now time.Time, u *sdk.TaskUpdated) {
	f := v.frameworks[u.FrameworkID]
	if f == nil {
		return
	}
	id := u.Status.TaskID
	old := f.tasks[id]
	if old == nil {
		old = f.unreachable[id]
	}
	if old == nil {
		v.lateStatus(f, u)
		return
	}
	t := *old
	t.State, t.StatusUpdateState, t.StatusUpdateUUID = u.State, u.Status.State, u.Status.UUID
	t.Statuses = withStatus(t.Statuses, u.Status, v.opt.Statuses)
	f.place(&t, v.opt.CompletedTasks)
	if failed(u.State) {
		v.fail(now, sdk.FailureRecord{
			AgentID: t.AgentID, FrameworkID: t.FrameworkID, TaskID: id, State: u.State, Reason: u.Status.Reason, Message: u.Status.Message,
		})
	}
}

// lateStatus adds a status to a task that has ended already: its end may be
// known, as the latest state of an earlier status, before its own status comes.
func (v *View) lateStatus(f *framework, u *sdk.TaskUpdated) {
	for i := len(f.completed) - 1; i >= max(0, len(f.completed)-64); i-- {
		if f.completed[i].TaskID == u.Status.TaskID {
			t := *f.completed[i]
			t.StatusUpdateState, t.StatusUpdateUUID = u.Status.State, u.Status.UUID
			t.Statuses = withStatus(t.Statuses, u.Status, v.opt.Statuses)
			f.completed[i] = &t
			v.explain(u)
			return
		}
	}
}

// explain gives a failure that was known early the words of its own status.
func (v *View) explain(u *sdk.TaskUpdated) {
	for i := len(v.failures) - 1; i >= 0; i-- {
		r := &v.failures[i]
		if r.TaskID == u.Status.TaskID && r.FrameworkID == u.FrameworkID && r.State == u.Status.State {
			r.Reason, r.Message = u.Status.Reason, u.Status.Message
			return
		}
	}
}

// place puts a task where its state belongs. Tasks are never changed in place:
// answers share them.
func (f *framework) place(t *sdk.Task, most int) {
	delete(f.tasks, t.TaskID)
	delete(f.unreachable, t.TaskID)
	switch {
	case t.State.Terminal():
		f.complete(t, most)
	case t.State == sdk.TaskUnreachable:
		f.unreachable[t.TaskID] = t
	default:
		f.tasks[t.TaskID] = t
	}
}

func (f *framework) complete(t *sdk.Task, most int) {
	f.completed = append(f.completed, t)
	if len(f.completed) > most {
		f.completed[0] = nil
		f.completed = f.completed[1:]
	}
}

// withStatus adds a status; one of the same state as the last takes its place, as
// in Mesos.
func withStatus(old []sdk.TaskStatus, s sdk.TaskStatus, most int) []sdk.TaskStatus {
	if n := len(old); n > 0 && (old[n-1].State == s.State || n >= most) {
		old = old[:n-1]
	}
	return append(slices.Clone(old), s)
}

// failed tells whether a state is one that nobody asked for.
func failed(s sdk.TaskState) bool {
	switch s {
	case sdk.TaskFinished, sdk.TaskKilled:
		return false
	case sdk.TaskUnreachable:
		return true
	}
	return s.Terminal()
}
