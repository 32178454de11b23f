package fleet

import (
	"cmp"
	"slices"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/marathonish/health"
	"github.com/profferhq/proffer/marathonish/plan"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// unit is one instance, from its placement until its end is in the store.
type unit struct {
	rec   runRecord
	state sdk.TaskState

	// Not launched yet: the offer, and what is to be launched on it once the record is
	// committed.
	offer    sdk.OfferID
	launched bool // ACCEPT was sent, by this marathonish or perhaps by an earlier one

	watch   mind.Watched
	since   time.Time // when it was launched, as far as this marathonish knows
	verdict *doom     // a client's, on its way to the store
	doomed  bool      // rec.Doom is in the store, or cannot be
	killed  time.Time // when KILL was last sent
	ended   bool
	acks    []sdk.TaskStatus // due when its end is in the store
}

// terminal tells whether a task in that state has ended for good.
func terminal(s sdk.TaskState) bool { return s.Terminal() || s == sdk.TaskUnknown }

// checks are the health checks that the instance was launched with.
func (s *service) checks(u *unit) []app.HealthCheck {
	if a := s.definition(u.rec.Version); a != nil {
		return a.HealthChecks
	}
	return nil
}

// definition is the app as it was in a version; nil when nobody knows it any more.
func (s *service) definition(v app.Version) *app.App {
	if a := s.versions[v]; a != nil {
		return a
	}
	for _, a := range []*app.App{s.app, s.former} {
		if a != nil {
			return a
		}
	}
	return nil
}

// ready tells whether the instance does its work.
func (s *service) ready(u *unit) bool {
	if u.state != sdk.TaskRunning || !u.watch.Told() {
		return false
	}
	return len(s.checks(u)) == 0 || u.rec.Healthy != nil && *u.rec.Healthy
}

// planned is the instance as package plan sees it.
func (s *service) planned(u *unit) plan.Instance {
	i := plan.Instance{
		Task: u.rec.Task, Index: u.rec.Index, Config: u.rec.Config, Ready: s.ready(u), Since: u.rec.Staged, Lost: u.rec.Lost,
		Doomed: u.rec.Doom != nil, Unconfirmed: u.launched && !u.watch.Told(),
	}
	switch u.state {
	case sdk.TaskUnreachable:
		i.State = plan.Unreachable
	case sdk.TaskStaging:
		i.State = plan.Staging
	case sdk.TaskStarting:
		i.State = plan.Starting
	default:
		i.State = plan.Running
	}
	return i
}

// live are the units that have not ended, by index and then by age.
func (s *service) live() []*unit {
	list := make([]*unit, 0, len(s.order))
	for _, u := range s.order {
		if !u.ended {
			list = append(list, u)
		}
	}
	return list
}

// enrol adds a unit to those that there are.
func (f *Fleet) enrol(s *service, u *unit) {
	f.units[u.rec.Task], s.units[u.rec.Task] = u, u
	i, _ := slices.BinarySearchFunc(s.order, u, byIndex)
	s.order = slices.Insert(s.order, i, u)
}

// strike takes it away.
func (f *Fleet) strike(s *service, u *unit) {
	delete(f.units, u.rec.Task)
	delete(s.units, u.rec.Task)
	if i, found := slices.BinarySearchFunc(s.order, u, byIndex); found {
		s.order = slices.Delete(s.order, i, i+1)
	}
}

func byIndex(a, b *unit) int {
	return cmp.Or(cmp.Compare(a.rec.Index, b.rec.Index), a.rec.Staged.Compare(b.rec.Staged), cmp.Compare(a.rec.Task, b.rec.Task))
}

// shown is the state that readers see.
func (u *unit) shown() sdk.TaskState {
	if u.rec.Doom != nil && !u.ended && u.state != sdk.TaskUnreachable {
		return sdk.TaskKilling
	}
	return u.state
}

// view is the instance as readers see it.
func (u *unit) view() Instance {
	r := &u.rec
	i := Instance{
		App: r.App, Index: r.Index, TaskID: r.Task, AgentID: r.Agent, Host: r.Host, IPs: r.IPs, Ports: r.Ports, Version: r.Version,
		State: string(u.shown()), Role: r.Role, StagedAt: r.Staged, StartedAt: r.Started, Checks: r.Checks, Healthy: r.Healthy,
	}
	if r.Doom != nil {
		i.Why = r.Doom.Why
	}
	return i
}

// save has the instance's record written again. That there may be no room for it does no
// harm: a successor learns the same from the kernel, and counts an absence anew. Where it
// only tells more it is left out while others wait for room in a full store.
func (f *Fleet) save(u *unit, more bool) {
	if u.ended {
		return
	}
	rec := u.rec
	if rec.Doom == nil {
		rec.Doom = u.verdict
	}
	spare := func() bool { return more && rec.Doom == nil && f.reserved() }
	f.post(&mind.Posting{Writes: []sdk.StoreOp{put(runKey(rec.Task), &rec)}, Spare: spare})
}

// tell publishes the state of an instance.
func (f *Fleet) tell(u *unit, message string) {
	r, state := &u.rec, string(u.shown())
	f.emit(Publish{event.StatusUpdate{
		SlaveID: string(r.Agent), TaskID: string(r.Task), TaskStatus: state, Message: message, AppID: r.App, Host: r.Host,
		IPAddresses: event.IPAddresses(r.IPs), Ports: append([]int{}, r.Ports...), Version: r.Version,
	}})
	f.emit(Publish{event.InstanceChanged{
		InstanceID: string(r.Task), Condition: event.Condition(state), RunSpecID: r.App, AgentID: string(r.Agent), Host: r.Host, RunSpecVersion: r.Version,
	}})
}

// examine takes in the results of an instance's checks, tells of what is new, and
// ends it when a check says so.
func (f *Fleet) examine(s *service, u *unit, results []health.Result) {
	checks, r := s.checks(u), &u.rec
	before, was := r.Healthy, r.Checks
	r.Checks = results
	verdict := health.Judge(checks, results, u.state == sdk.TaskUnreachable)
	r.Healthy = verdict.Healthy
	for i := range min(len(results), len(checks)) {
		old := health.Result{}
		if i < len(was) {
			old = was[i]
		}
		if results[i].ConsecutiveFailures > old.ConsecutiveFailures {
			f.emit(Publish{event.FailedHealthCheck{AppID: r.App, TaskID: string(r.Task), InstanceID: string(r.Task), HealthCheck: checks[i]}})
		}
		if now := results[i].Alive; now != nil && (old.Alive == nil || *old.Alive != *now) {
			f.emit(Publish{event.HealthStatusChanged{AppID: r.App, InstanceID: string(r.Task), TaskID: string(r.Task), Version: r.Version, Alive: *now}})
		}
	}
	if !same(before, r.Healthy) {
		f.emit(Publish{event.InstanceHealthChanged{InstanceID: string(r.Task), RunSpecID: r.App, RunSpecVersion: r.Version, Healthy: r.Healthy}})
		f.save(u, true)
	}
	if verdict.Kill && r.Doom == nil {
		f.announceUnhealthy(u, verdict.Reason)
		f.doom(s, u, verdict.Reason)
	}
}

func same(a, b *bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
