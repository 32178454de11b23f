package fleet

import (
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// doom decides that an instance ends. It is shown as TASK_KILLING at once, so that
// balancers leave it; the decision goes into the store; and after the app's drain
// time it gets its KILL. What does not serve has nothing to drain.
func (f *Fleet) doom(s *service, u *unit, why string) {
	if u.rec.Doom != nil || u.ended {
		return
	}
	f.condemn(s, u, f.sentence(s, u, why))
	finish := func() { u.doomed = true; f.touch(s.id) }
	f.post(&mind.Posting{
		Writes: []sdk.StoreOp{put(runKey(u.rec.Task), &u.rec)},
		Done:   finish,
		Failed: func(err *sdk.Error) {
			f.log(mind.Warn, "a decision to end an instance is not in the store", "task", u.rec.Task, "error", err)
			finish()
		},
	})
}

// sentence is the decision that an instance ends, with its drain from now on.
func (f *Fleet) sentence(s *service, u *unit, why string) *doom {
	var drain time.Duration
	if a := s.definition(u.rec.Version); a != nil && u.state == sdk.TaskRunning && (u.rec.Healthy == nil || *u.rec.Healthy) {
		drain = a.Drain()
	}
	return &doom{Why: why, At: f.now.Add(drain)}
}

// condemn makes the decision without storing it.
func (f *Fleet) condemn(s *service, u *unit, d *doom) {
	u.rec.Doom = d
	f.log(mind.Info, "an instance is to end", "task", u.rec.Task, "why", d.Why, "drains", max(0, d.At.Sub(f.now)))
	f.tell(u, d.Why)
	f.touch(s.id)
}

// reap sends the KILLs of an app that are due.
func (f *Fleet) reap(s *service) {
	if !f.session.Up() {
		return
	}
	for _, u := range s.live() {
		switch {
		case u.rec.Doom == nil || !u.doomed || !u.launched || !u.watch.Told() || u.state == sdk.TaskUnreachable:
			continue
		case f.now.Before(u.rec.Doom.At):
			f.alarms.Wake(s.id, u.rec.Doom.At)
			continue
		case u.killed.IsZero() || !f.now.Before(u.killed.Add(f.opt.KillRetry)):
			u.killed = f.now
			f.emit(mind.Kill{Task: u.rec.Task, Agent: u.rec.Agent})
		}
		f.alarms.Wake(s.id, u.killed.Add(f.opt.KillRetry))
	}
}
