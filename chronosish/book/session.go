package book

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// newSession keeps of which attempts the kernel has told.
func newSession(o Options) mind.Session {
	return mind.Session{AskAgain: o.AskAgain, Refresh: o.Refresh, KillRetry: o.KillRetry}
}

// subscribed begins a subscription: what was known of attempts may have changed
// meanwhile, so all are asked for by name.
func (b *Book) subscribed() {
	b.offers, b.market = nil, mind.Market{}
	for _, r := range b.attempts {
		r.killed, r.offer = time.Time{}, ""
	}
	for name, e := range b.jobs {
		for _, r := range e.runs {
			r.seen = false
		}
		b.touch(name)
	}
	b.emit(b.session.Begin(b.now)...)
}

// lost has attempts asked for whose launch may not have arrived.
func (b *Book) lost(tasks []sdk.TaskID) {
	var lost []*mind.Watched
	for _, id := range tasks {
		if r := b.attempts[id]; r != nil && !r.ended && r.state == sdk.TaskStaging {
			lost = append(lost, &r.watch)
		}
	}
	b.emit(b.session.Doubt(b.now, lost)...)
}

// reapOrphans ends the tasks without a record, once all others are accounted for.
func (b *Book) reapOrphans() {
	for _, kill := range b.session.Reap(b.now) {
		b.log(mind.Warn, "a task without a record is ended", "task", kill.Task)
		b.emit(kill)
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
