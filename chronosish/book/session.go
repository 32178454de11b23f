package book

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// session is what is to be known of the subscription.
type session struct {
	up        bool
	asked     time.Time     // when attempts were last asked for again
	refreshed time.Time     // when all were asked for
	open      map[*run]bool // launched attempts of which the kernel has not told
}

// nextAsk is when askAgain has something to do.
func (b *Book) nextAsk() time.Time {
	s := &b.session
	switch {
	case !s.up:
		return time.Time{}
	case len(s.open) > 0:
		return s.asked.Add(b.opt.AskAgain)
	case len(b.attempts) == 0:
		return time.Time{}
	}
	return s.refreshed.Add(b.opt.Refresh)
}

// subscribed begins a subscription: what was known of attempts may have changed
// meanwhile, so all are asked for by name.
func (b *Book) subscribed() {
	b.session = session{up: true, refreshed: b.now, open: map[*run]bool{}}
	b.offers, b.market = nil, mind.Market{}
	for _, r := range b.attempts {
		r.confirmed, r.killed, r.offer = false, time.Time{}, ""
		if r.launched && !r.ended {
			b.session.open[r] = true
		}
	}
	b.orphans.Subscribed()
	for name, e := range b.jobs {
		for _, r := range e.runs {
			r.seen = false
		}
		b.touch(name)
	}
	b.ask(func(*run) bool { return true })
}

// lost has attempts asked for whose launch may not have arrived.
func (b *Book) lost(tasks []sdk.TaskID) {
	lost := map[sdk.TaskID]bool{}
	for _, id := range tasks {
		if r := b.attempts[id]; r != nil && !r.ended && r.state == sdk.TaskStaging {
			b.confirm(r, false)
			lost[id] = true
		}
	}
	if b.session.up && len(lost) > 0 {
		b.ask(func(r *run) bool { return lost[r.rec.Task] })
	}
}

// agentFailed has the attempts of an agent asked for: those that the leading master does
// not know it tells nothing of.
func (b *Book) agentFailed(agent sdk.AgentID) {
	if b.session.up {
		b.ask(func(r *run) bool { return r.rec.Agent == agent })
	}
}

// askBatch is how many tasks one RECONCILE names.
const askBatch = 1000

// ask reconciles the launched attempts that which chooses.
func (b *Book) ask(which func(*run) bool) {
	var tasks []sdk.ReconcileTask
	for _, id := range sortedKeys(b.attempts) {
		if r := b.attempts[id]; r.launched && !r.ended && which(r) {
			r.asked = b.now
			tasks = append(tasks, sdk.ReconcileTask{TaskID: id, AgentID: r.rec.Agent})
		}
	}
	for batch := range slices.Chunk(tasks, askBatch) {
		b.emit(mind.Reconcile{Tasks: batch})
	}
	b.session.asked = b.now
}

// askAgain asks again for the attempts of which nobody tells, and from time to time for
// all.
func (b *Book) askAgain() {
	next := b.nextAsk()
	if next.IsZero() || b.now.Before(next) {
		return
	}
	if len(b.session.open) > 0 {
		b.ask(func(r *run) bool { return !r.confirmed && !b.now.Before(r.asked.Add(b.opt.AskAgain)) })
		return
	}
	b.session.refreshed = b.now
	b.ask(func(*run) bool { return true })
}

// confirm notes whether the kernel has told of an attempt in this subscription.
func (b *Book) confirm(r *run, told bool) {
	r.confirmed = told
	if told {
		delete(b.session.open, r)
	} else if r.launched && !r.ended && b.session.up {
		b.session.open[r] = true
	}
}

// accounted tells whether the kernel has told of all attempts.
func (b *Book) accounted() bool { return b.session.up && len(b.session.open) == 0 }

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
