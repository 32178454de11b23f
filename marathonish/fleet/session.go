package fleet

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// session is what is to be known of the subscription.
type session struct {
	up        bool
	before    bool      // there was one already
	asked     time.Time // when instances were last asked for again
	refreshed time.Time // when all were asked for
	open      int       // launched instances of which the kernel has not told
	interval  time.Duration
	refresh   time.Duration
}

// nextAsk is when askAgain has something to do.
func (s *session) nextAsk() time.Time {
	switch {
	case !s.up:
		return time.Time{}
	case s.open > 0:
		return s.asked.Add(s.interval)
	}
	return s.refreshed.Add(s.refresh)
}

// subscribed begins a subscription: what was known of instances may have changed
// meanwhile, so all are asked for by name.
func (f *Fleet) subscribed(in mind.Subscribed) {
	var body event.Body = event.SchedulerRegistered{FrameworkID: string(in.FrameworkID), Master: in.Master}
	if f.session.before {
		body = event.SchedulerReregistered{FrameworkID: string(in.FrameworkID), Master: in.Master}
	}
	f.emit(Publish{body})
	f.session = session{up: true, before: true, interval: f.opt.AskAgain, refresh: f.opt.Refresh}
	f.offers, f.market = nil, map[string]*mind.Market{}
	for _, u := range f.units {
		u.confirmed, u.killed, u.offer = false, time.Time{}, ""
		if u.launched && !u.ended {
			f.session.open++
		}
	}
	f.orphans.Subscribed()
	for id := range f.services {
		f.touch(id)
	}
	f.ask(func(*unit) bool { return true })
	f.session.refreshed = f.now
}

func (f *Fleet) disconnected() {
	if f.session.up {
		f.session.up = false
		f.offers = nil
		f.emit(Publish{event.SchedulerDisconnected{}})
	}
}

// lost has instances asked for whose launch may not have arrived.
func (f *Fleet) lost(tasks []sdk.TaskID) {
	lost := map[sdk.TaskID]bool{}
	for _, id := range tasks {
		if u := f.units[id]; u != nil && !u.ended && u.state == sdk.TaskStaging {
			f.confirm(u, false)
			lost[id] = true
		}
	}
	if f.session.up {
		f.ask(func(u *unit) bool { return lost[u.rec.Task] })
	}
}

// agentFailed has the instances of an agent asked for: those that the leading master does
// not know it tells nothing of.
func (f *Fleet) agentFailed(agent sdk.AgentID) {
	if f.session.up {
		f.ask(func(u *unit) bool { return u.rec.Agent == agent })
	}
}

// askBatch is how many tasks one RECONCILE names.
const askBatch = 1000

// ask reconciles the launched instances that which chooses.
func (f *Fleet) ask(which func(*unit) bool) {
	var tasks []sdk.ReconcileTask
	for _, id := range sortedKeys(f.units) {
		if u := f.units[id]; u.launched && !u.ended && which(u) {
			u.asked = f.now
			tasks = append(tasks, sdk.ReconcileTask{TaskID: id, AgentID: u.rec.Agent})
		}
	}
	for batch := range slices.Chunk(tasks, askBatch) {
		f.emit(mind.Reconcile{Tasks: batch})
	}
	f.session.asked = f.now
}

// askAgain asks again for the instances of which nobody tells, and from time to time
// for all.
func (f *Fleet) askAgain() {
	next := f.session.nextAsk()
	if next.IsZero() || f.now.Before(next) {
		return
	}
	if f.session.open > 0 {
		f.ask(func(u *unit) bool { return !u.confirmed && !f.now.Before(u.asked.Add(f.opt.AskAgain)) })
		return
	}
	f.session.refreshed = f.now
	f.emit(mind.Reconcile{}) // for tasks that have no record
	f.ask(func(*unit) bool { return true })
}

// confirm notes whether the kernel has told of an instance in this subscription.
func (f *Fleet) confirm(u *unit, told bool) {
	if u.launched && !u.ended && u.confirmed != told {
		if told {
			f.session.open--
		} else {
			f.session.open++
		}
	}
	u.confirmed = told
}

// accounted tells whether the kernel has told of all instances.
func (f *Fleet) accounted() bool { return f.session.up && f.session.open == 0 }

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
