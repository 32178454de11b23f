package fleet

import (
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/marathonish/health"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// update takes in what the kernel says of a task.
func (f *Fleet) update(st sdk.TaskStatus) {
	u := f.units[st.TaskID]
	if u == nil {
		f.stranger(st)
		return
	}
	s := f.services[u.rec.App]
	if u.ended { // its end is on its way to the store
		u.acks = append(u.acks, st)
		return
	}
	known, state, healthy, lost := u.watch.Told(), u.state, u.rec.Healthy, u.rec.Lost
	f.session.Tell(&u.watch, true)
	if terminal(st.State) {
		f.touch(s.id)
		f.end(s, u, st)
		return
	}
	f.alive(s, u, st)
	if !known || u.state != state || !same(u.rec.Healthy, healthy) || !u.rec.Lost.Equal(lost) {
		f.touch(s.id)
	}
	f.acknowledge(st)
}

func (f *Fleet) acknowledge(st sdk.TaskStatus) {
	if len(st.UUID) > 0 {
		f.emit(mind.Acknowledge{Status: st})
	}
}

// alive takes in a status of an instance that has not ended.
func (f *Fleet) alive(s *service, u *unit, st sdk.TaskStatus) {
	before, r := u.shown(), &u.rec
	u.state = st.State
	if st.State == sdk.TaskKilling && r.Doom == nil {
		f.killing(s, u, st)
		return
	}
	changed, lost := false, r.Lost
	if ips := addresses(&st); len(ips) > 0 && len(r.IPs) == 0 {
		r.IPs, changed = ips, true
	}
	if mind.Absent(f.now, &st, &r.Lost, &r.Absence) {
		changed = true
	}
	if st.State == sdk.TaskRunning && r.Started.IsZero() {
		r.Started, changed = mind.Moment(st.Timestamp, f.now), true
	}
	if u.shown() != before {
		f.tell(u, st.Message)
	}
	if changed {
		f.save(u, r.Lost.Equal(lost)) // since when it is lost no successor learns
	}
	switch {
	case len(st.HealthResults) > 0:
		f.examine(s, u, health.Read(st.HealthResults))
	case st.Healthy != nil && len(s.checks(u)) == 1 && len(r.Checks) == 0: // told by Mesos's one field alone
		f.examine(s, u, []health.Result{{Alive: st.Healthy}})
	}
}

// killing takes in that somebody else ends the instance: its executor over a check that
// failed too often, which is announced as if marathonish had decided it, or a person.
func (f *Fleet) killing(s *service, u *unit, st sdk.TaskStatus) {
	why := "it is being killed by somebody else"
	if st.Reason == sdk.ReasonTaskHealthCheckStatusUpdated && st.Healthy != nil && !*st.Healthy {
		f.examine(s, u, health.Read(st.HealthResults))
		if u.rec.Doom != nil {
			return // the check's own spelling says so too
		}
		if why = st.Message; why == "" {
			why = "a health check failed too often"
		}
		f.announceUnhealthy(u, why)
	}
	f.doom(s, u, why)
}

func (f *Fleet) announceUnhealthy(u *unit, why string) {
	r := &u.rec
	f.emit(Publish{event.UnhealthyInstanceKill{
		AppID: r.App, TaskID: string(r.Task), InstanceID: string(r.Task), Version: r.Version, Reason: why, Host: r.Host, SlaveID: string(r.Agent),
	}})
}

func addresses(st *sdk.TaskStatus) []string {
	var ips []string
	if st.ContainerStatus != nil {
		for _, n := range st.ContainerStatus.NetworkInfos {
			for _, ip := range n.IPAddresses {
				ips = append(ips, ip.IPAddress)
			}
		}
	}
	return ips
}

// end takes in the end of an instance. Its record is deleted, and only then is the
// status acknowledged: a successor that is started in between hears of it again.
func (f *Fleet) end(s *service, u *unit, st sdk.TaskStatus) {
	u.ended, u.state = true, st.State
	f.session.Drop(&u.watch)
	u.acks = append(u.acks, st)
	f.tell(u, st.Message)
	f.erase(s, u)
	if u.rec.Doom == nil && f.blame(s, u, &st) {
		f.post(&mind.Posting{Writes: []sdk.StoreOp{put(failureKey(s.id), failureRecord{Last: s.failure, Backoff: s.backoff})}})
	}
}

// erase has the record of an ended instance deleted.
func (f *Fleet) erase(s *service, u *unit) {
	f.burying++
	bury := func() { f.bury(s, u) }
	f.post(&mind.Posting{Writes: []sdk.StoreOp{remove(runKey(u.rec.Task))}, Done: bury, Failed: func(*sdk.Error) { bury() }})
}

// bury forgets an instance whose end is in the store.
func (f *Fleet) bury(s *service, u *unit) {
	f.burying--
	f.strike(s, u)
	f.owe(s, s.owed+1)
	s.ended, s.denied = f.now, time.Time{}
	if f.now.Before(f.full.scarce) {
		s.waiting.fresh = true
	}
	f.recent.add(u.rec.Task)
	for _, st := range u.acks {
		if terminal(st.State) {
			f.acknowledge(st)
		} else { // it was forgotten, and came back meanwhile
			f.stranger(st)
		}
	}
	if s.app == nil && len(s.units) == 0 {
		f.emit(Publish{event.AppTerminated{AppID: s.id}})
	}
	f.touch(s.id)
}

// blame notes the end of an instance that nobody wanted: what failed last, and how
// long to wait before the next try. It tells whether there is something to store.
func (f *Fleet) blame(s *service, u *unit, st *sdk.TaskStatus) bool {
	if st.State == sdk.TaskLost || st.State == sdk.TaskDropped {
		if st.Reason == sdk.ReasonInvalidOffers { // it was never launched
			f.log(mind.Info, "an offer was gone before its launch", "task", u.rec.Task)
			return false
		}
	}
	if u.rec.Started.IsZero() && (st.State == sdk.TaskGone || st.State == sdk.TaskUnknown) {
		f.log(mind.Info, "a launch never reached its agent", "task", u.rec.Task)
		return false
	}
	switch st.State {
	case sdk.TaskFinished, sdk.TaskFailed, sdk.TaskError, sdk.TaskDropped, sdk.TaskKilled:
		if s.app != nil && u.rec.Config == s.app.LastConfigChangeAt {
			s.backoff = s.backoff.Failed(f.now, s.app)
		}
	}
	f.log(mind.Warn, "an instance ended", "task", u.rec.Task, "state", st.State, "reason", st.Reason, "message", st.Message)
	if s.app == nil {
		return false
	}
	if st.State != sdk.TaskFinished {
		s.failure = &Failure{
			App: s.id, Host: u.rec.Host, Message: st.Message, State: string(st.State), TaskID: u.rec.Task,
			At: mind.Moment(st.Timestamp, f.now), Version: u.rec.Version, AgentID: u.rec.Agent,
		}
	}
	return true
}

// stranger takes in a status of a task of which there is no record: it was forgotten
// while its agent was away, or its launch was given up.
func (f *Fleet) stranger(st sdk.TaskStatus) {
	f.acknowledge(st)
	if terminal(st.State) || st.State == sdk.TaskUnreachable {
		if f.session.Orphans.Remove(st.TaskID) || !f.recent.has(st.TaskID) && len(st.UUID) > 0 {
			f.emit(Publish{event.UnknownInstanceTerminated{InstanceID: string(st.TaskID), RunSpecID: appOf(st.TaskID), Condition: event.Condition(string(st.State))}})
		}
		return
	}
	if f.session.Orphans.Add(st.TaskID, st.AgentID) {
		f.log(mind.Warn, "a task of ours has no record; it is ended when all instances are accounted for", "task", st.TaskID, "agent", st.AgentID)
	}
}

// appOf is the app that a task's id names.
func appOf(task sdk.TaskID) app.ID {
	id := []byte("/" + string(task))
	for i := len(id) - 1; i >= 0; i-- {
		if id[i] == '.' {
			id = id[:i]
			break
		}
	}
	for i, c := range id {
		if c == '_' {
			id[i] = '/'
		}
	}
	return app.ID(id)
}

// recentSize is how many ended instances are remembered, so that a status that comes
// once more is not taken for one of a stranger.
const recentSize = 1024

type recent struct {
	ring [recentSize]sdk.TaskID
	next int
	set  map[sdk.TaskID]bool
}

func (r *recent) add(id sdk.TaskID) {
	if r.set == nil {
		r.set = map[sdk.TaskID]bool{}
	}
	delete(r.set, r.ring[r.next])
	r.ring[r.next], r.set[id] = id, true
	r.next = (r.next + 1) % recentSize
}

func (r *recent) has(id sdk.TaskID) bool { return r.set[id] }
