package fleet

import (
	"slices"
	"time"

	"github.com/profferhq/proffer/marathonish/plan"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// evaluate decides anew about every app of which something has changed.
func (f *Fleet) evaluate() {
	for len(f.dirty) > 0 {
		for _, id := range sortedKeys(f.dirty) {
			delete(f.dirty, id)
			if s := f.services[id]; s != nil {
				f.decide(s)
			}
		}
	}
}

// wanted is what package plan has to bring about for the app.
func (s *service) wanted() plan.Wanted {
	if s.app == nil {
		w := plan.Wanted{Stop: true}
		if s.former != nil {
			w.Unreachable = s.former.UnreachableStrategy
		}
		return w
	}
	a := s.app
	return plan.Wanted{
		Instances: a.Instances, Config: a.LastConfigChangeAt, Upgrade: a.UpgradeStrategy, KillSelection: a.KillSelection,
		Unreachable: a.UnreachableStrategy, Replace: s.deployment != nil && s.deployment.acts(RestartApplication, s.id),
	}
}

// decide brings one app nearer to what is wanted.
func (f *Fleet) decide(s *service) {
	live := s.live()
	have := make([]plan.Instance, len(live))
	for i, u := range live {
		have[i] = s.planned(u)
		f.hurry(s, u)
	}
	d := plan.Decide(f.now, s.wanted(), have)
	for _, k := range d.Kill {
		f.doom(s, f.units[k.Task], k.Reason)
	}
	for _, task := range d.Expunge {
		f.expunge(s, f.units[task])
	}
	f.alarms.Wake(s.id, d.Wake)
	f.want(s, d.Launch)
	f.reap(s)
	s.settled, s.waits = d.Done, d.Waits
	if s.deployment != nil {
		f.advance(s.deployment)
	}
	f.forget(s)
}

// hurry ends an instance that was launched long ago and does not run.
func (f *Fleet) hurry(s *service, u *unit) {
	if u.rec.Doom != nil || !u.launched || !u.watch.Told() || u.state != sdk.TaskStaging && u.state != sdk.TaskStarting {
		return
	}
	if due := u.since.Add(f.opt.LaunchTimeout); f.now.Before(due) {
		f.alarms.Wake(s.id, due)
		return
	}
	f.doom(s, u, "it was launched "+f.opt.LaunchTimeout.String()+" ago and does not run yet")
}

// expunge forgets an instance whose agent was silent for too long. Should it come
// back, it is a task without a record.
func (f *Fleet) expunge(s *service, u *unit) {
	f.log(mind.Warn, "an instance is forgotten: its agent has been silent for too long", "task", u.rec.Task, "agent", u.rec.Agent, "since", u.rec.Lost)
	f.session.Drop(&u.watch)
	u.ended = true
	s.failure = &Failure{
		App: s.id, Host: u.rec.Host, Message: "its agent is unreachable", State: string(u.state), TaskID: u.rec.Task,
		At: f.now, Version: u.rec.Version, AgentID: u.rec.Agent,
	}
	f.erase(s, u)
	f.touch(s.id)
}

// want notes which launches are missing. Those that have come since the last look
// need offers that were refused before.
func (f *Fleet) want(s *service, indexes []int) {
	w := &s.waiting
	if len(indexes) == 0 {
		s.restored = false
		*w = waiting{}
		delete(f.wanting, s.id)
		if s.placing == 0 {
			f.owe(s, 0)
			s.denied = time.Time{}
		}
		return
	}
	if s.restored { // what it lacks now has ended before the restart, or was never there: that has a deployment
		f.owe(s, len(indexes))
		s.ended = f.now
	}
	s.restored = false
	f.owe(s, min(s.owed, len(indexes)+s.placing))
	if f.now.Before(s.denied) {
		f.alarms.Wake(s.id, s.denied)
	}
	if len(w.indexes) == 0 {
		*w = waiting{since: f.now, fresh: true}
	}
	w.fresh = w.fresh || len(indexes) > len(w.indexes)
	w.indexes = slices.Clone(indexes)
	f.wanting[s.id] = true
	left := s.backoff.Left(f.now, s.app.LastConfigChangeAt)
	if left > 0 {
		f.alarms.Wake(s.id, f.now.Add(left))
		w.fresh = true
	}
}

// due tells whether the app's launches are only waiting for an offer. While a change of the
// app is on its way to the store nothing is launched that the change might not want.
func (f *Fleet) due(s *service) bool {
	return len(s.waiting.indexes) > 0 && s.app != nil && !s.busy && s.backoff.Left(f.now, s.app.LastConfigChangeAt) == 0
}

// launchable is how many instances of an app may be launched now. In a full store the room
// that an ended instance leaves is its successor's: nothing else may take it, or a service
// that has lost an instance would stay short of it while others grow. That holds also after
// the store has denied it the room.
func (f *Fleet) launchable(s *service) int {
	n := len(s.waiting.indexes)
	switch {
	case f.now.Before(s.denied):
		return 0
	case f.now.Before(f.full.until), f.reserved():
		return min(n, max(s.owed-s.placing, 0))
	}
	return n
}

// looking are the apps that can use offers now, those that have waited longest
// first.
func (f *Fleet) looking() []*service {
	var list []*service
	for _, id := range sortedKeys(f.wanting) {
		if s := f.services[id]; s != nil && f.due(s) && f.launchable(s) > 0 {
			list = append(list, s)
		}
	}
	slices.SortStableFunc(list, func(a, b *service) int { return a.waiting.since.Compare(b.waiting.since) })
	return list
}

// placed are the instances that count for the constraints of new ones.
func (s *service) placed() []*unit {
	replace := s.wanted().Replace
	var list []*unit
	for _, u := range s.live() {
		if replace && u.rec.Config != s.app.LastConfigChangeAt {
			continue
		}
		list = append(list, u)
	}
	return list
}
