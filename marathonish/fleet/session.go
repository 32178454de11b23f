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

// newSession keeps of which instances the kernel has told.
func newSession(o Options) mind.Session {
	return mind.Session{AskAgain: o.AskAgain, Refresh: o.Refresh, KillRetry: o.KillRetry, Strays: true}
}

// subscribed begins a subscription: what was known of instances may have changed
// meanwhile, so all are asked for by name.
func (f *Fleet) subscribed(in mind.Subscribed) {
	var body event.Body = event.SchedulerRegistered{FrameworkID: string(in.FrameworkID), Master: in.Master}
	if f.before {
		body = event.SchedulerReregistered{FrameworkID: string(in.FrameworkID), Master: in.Master}
	}
	f.emit(Publish{body})
	f.before = true
	f.offers, f.market = nil, map[string]*mind.Market{}
	for _, u := range f.units {
		u.killed, u.offer = time.Time{}, ""
	}
	for id := range f.services {
		f.touch(id)
	}
	f.emit(f.session.Begin(f.now)...)
}

func (f *Fleet) disconnected() {
	if f.session.Up() {
		f.session.End()
		f.offers = nil
		f.emit(Publish{event.SchedulerDisconnected{}})
	}
}

// lost has instances asked for whose launch may not have arrived.
func (f *Fleet) lost(tasks []sdk.TaskID) {
	var lost []*mind.Watched
	for _, id := range tasks {
		if u := f.units[id]; u != nil && !u.ended && u.state == sdk.TaskStaging {
			lost = append(lost, &u.watch)
		}
	}
	f.emit(f.session.Doubt(f.now, lost)...)
}

// reapOrphans ends the tasks without a record, once all others are accounted for.
func (f *Fleet) reapOrphans() {
	for _, kill := range f.session.Reap(f.now) {
		f.log(mind.Warn, "a task without a record is ended", "task", kill.Task)
		f.emit(kill)
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
