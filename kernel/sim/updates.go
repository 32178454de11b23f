package sim

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// update takes a status as a careful framework does: an end is stored before it is
// acknowledged.
func (s *scheduler) update(t *sdk.TaskStatus) {
	w := s.w
	r := s.tasks[t.TaskID]
	if r == nil {
		w.fail("%s was told of task %s, which it never launched", s.name, t.TaskID)
		return
	}
	if r.lost && !t.State.Terminal() {
		r.lost, r.over, s.open[r.id] = false, false, r // without PARTITION_AWARE a lost task may be back
	}
	if len(t.UUID) > 0 {
		s.hear(r, t)
		if w.chance(93) {
			ack := &sdk.Acknowledge{AgentID: t.AgentID, TaskID: t.TaskID, UUID: t.UUID}
			s.soon(0, 300*time.Millisecond, "acknowledges "+string(t.TaskID), func() {
				s.post(&sdk.Call{Type: sdk.CallAcknowledge, Acknowledge: ack})
			})
		}
	}
	if r.over && !r.reused && !t.State.Terminal() && t.State != sdk.TaskUnknown && t.State != sdk.TaskUnreachable && len(t.UUID) > 0 && !s.heardBefore(r, t) {
		w.fail("%s: task %s had ended as %s and is %s", s.name, r.id, r.state, t.State)
	}
	if t.State.Terminal() && !r.over {
		r.over = true
		delete(s.open, r.id)
		w.result.Ended++
		if r.lost = t.State == sdk.TaskLost && !s.aware(); !r.lost {
			w.truth.ended(w, s.name, s.info.ID, t)
		}
	}
	if !r.over || t.State.Terminal() {
		r.state = t.State
	}
}

// hear checks the order of updates: what comes first must be what the agent has
// stored next.
func (s *scheduler) hear(r *record, t *sdk.TaskStatus) {
	if s.heardBefore(r, t) {
		return
	}
	want := s.w.truth.updates[taskKey{s.info.ID, r.id}]
	n := len(r.heard)
	if n >= len(want) || want[n] != string(t.UUID) {
		s.w.fail("%s hears update %d of task %s, %s (%x), which is not what its agent stored next: %x", s.name, n+1, r.id, t.State, t.UUID, want)
	}
	r.heard = append(r.heard, string(t.UUID))
}

func (s *scheduler) heardBefore(r *record, t *sdk.TaskStatus) bool {
	for _, id := range r.heard {
		if id == string(t.UUID) {
			return true
		}
	}
	return false
}

// reconcile asks about every task whose end is not known.
func (s *scheduler) reconcile() {
	call := &sdk.Reconcile{}
	for _, id := range sortedKeys(s.open) {
		if r := s.open[id]; s.w.now.Sub(r.launched) > 10*time.Second {
			call.Tasks = append(call.Tasks, sdk.ReconcileTask{TaskID: id, AgentID: r.agent})
		}
	}
	if len(call.Tasks) > 0 {
		s.post(&sdk.Call{Type: sdk.CallReconcile, Reconcile: call})
	}
}

// think does what frameworks do now and then.
func (s *scheduler) think() {
	w := s.w
	if w.calm {
		return
	}
	switch w.rng.IntN(12) {
	case 0, 1, 2:
		for _, id := range sortedKeys(s.open) {
			if w.chance(30) {
				s.post(&sdk.Call{Type: sdk.CallKill, Kill: &sdk.Kill{TaskID: id}})
				return
			}
		}
	case 3, 4:
		s.post(&sdk.Call{Type: sdk.CallRevive})
	case 5:
		s.post(&sdk.Call{Type: sdk.CallSuppress})
		s.soon(3*time.Second, 20*time.Second, "wants offers again", func() { s.post(&sdk.Call{Type: sdk.CallRevive}) })
	case 6:
		s.post(&sdk.Call{Type: sdk.CallReconcile, Reconcile: &sdk.Reconcile{}})
	case 7:
		if s.mortal && s.subscribed && w.chance(20) {
			w.note("%s tears itself down", s.name)
			s.post(&sdk.Call{Type: sdk.CallTeardown})
		}
	}
}
