package book

import (
	"slices"
	"time"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// evaluate looks at each job that something has happened to.
func (b *Book) evaluate() {
	for len(b.dirty) > 0 {
		names := sortedKeys(b.dirty)
		clear(b.dirty)
		for _, name := range names {
			if e := b.jobs[name]; e != nil {
				b.look(e)
			}
		}
	}
}

// look does what is due for one job.
func (b *Book) look(e *entry) {
	for _, r := range slices.Clone(e.runs) {
		switch {
		case r.ended:
		case r.waits():
			b.wanting[e.name] = true
			b.expire(e, r)
		default:
			b.watch(e, r)
		}
	}
	if e.job == nil || e.busy {
		return
	}
	if e.schedule != nil {
		b.decide(e)
	}
	for _, r := range e.runs {
		b.alarms.Wake(e.name, after(b.now, r.rec.NotBefore))
	}
}

// after is at where it is still to come, and otherwise zero.
func after(now, at time.Time) time.Time {
	if at.After(now) {
		return at
	}
	return time.Time{}
}

// watch looks after an attempt: its bounds in time, and its end where that was decided.
func (b *Book) watch(e *entry, r *run) {
	if e.of(r) {
		if most := e.job.MaxCompletionTime(); most > 0 && !r.started.IsZero() {
			if at := r.started.Add(most); at.After(b.now) {
				b.alarms.Wake(e.name, at)
			} else {
				b.stop(e, r, due.ByTime)
			}
		}
	} else if !e.busy && r.rec.Stop == due.NotStopped {
		b.stop(e, r, due.ByDeletion)
	}
	if b.lostForGood(e, r) {
		v, reason := due.Lost, "its agent was unreachable for longer than lostAfter"
		if r.rec.Stop == due.ByWish {
			v, reason = due.Killed, string(due.ByWish)+", and "+reason
		}
		b.conclude(e, r, v, reason, sdk.TaskStatus{State: sdk.TaskUnreachable})
		return
	}
	b.kill(e, r)
}

// lostForGood tells whether an attempt's agent is unreachable for longer than lostAfter. Only
// the kernel's word in this subscription counts: while nobody was told, the agent may have
// come back. An attempt of an earlier job of the name stands in the way of the new one for
// no longer than one of its own.
func (b *Book) lostForGood(e *entry, r *run) bool {
	if e.job == nil || e.deleting || r.rec.Lost.IsZero() || !r.watch.Told() || !b.session.Up() {
		return false
	}
	at := r.rec.Lost.Add(e.job.LostAfter.Length)
	b.alarms.Wake(e.name, after(b.now, at))
	return !at.After(b.now)
}

// expire skips what waits and must not start any more: a slot that has not started in its
// window, and what a job that is disabled since was to do. What has begun goes on to its
// last retry, and a run by hand is nobody else's matter.
func (b *Book) expire(e *entry, r *run) {
	if e.busy || r.rec.Cause == ByHand || r.rec.Failures > 0 || !e.of(r) {
		return
	}
	why := due.Disabled
	if !e.job.Disabled {
		window, bounded := e.job.Window()
		if !bounded || r.rec.Cause != BySlot {
			return
		}
		if end := r.rec.Nominal.Add(window); !b.now.After(end) {
			b.alarms.Wake(e.name, end.Add(1))
			return
		}
		if why = due.Starved; !e.job.Concurrent && e.runs[0] != r {
			why = due.Overlap
		}
	}
	r.ended = true
	e.strike(r)
	e.ending = append(e.ending, r)
	e.state.Born = e.born
	writes := append([]sdk.StoreOp{remove(runKey(&r.rec))}, b.skip(e, r.rec.Cause, due.Skip{First: r.rec.Nominal, Last: r.rec.Nominal, Count: 1, Reason: why})...)
	b.post(&mind.Posting{Writes: append(writes, put(stateKey(e.name), &e.state)), Done: func() { b.bury(e, r) }})
	b.touch(e.name)
}

// skip has slots written down that do not run, or what the parents of a job would have
// caused.
func (b *Book) skip(e *entry, cause Cause, s due.Skip) []sdk.StoreOp {
	return b.note(e, Record{
		Job: e.name, Cause: cause, Nominal: s.First.UTC(), Last: s.Last.UTC(), Count: s.Count, Outcome: Skipped, Reason: string(s.Reason),
	})
}

// decide deals with the slots that are due. What it decides is one posting.
func (b *Book) decide(e *entry) {
	rules := due.Rules{Disabled: e.job.Disabled}
	if window, bounded := e.job.Window(); bounded {
		rules.Window = &window
	}
	load := due.Load{Room: b.opt.MaxWaiting}
	for _, r := range e.runs {
		if r.waits() {
			load.Room--
		}
		if !e.job.Concurrent || r.waits() && r.rec.Cause == BySlot {
			load.Busy = true
		}
	}
	d := due.Decide(b.now, e.schedule, e.handled(), rules, load)
	e.next, e.ended = d.Next.UTC(), d.Exhausted
	if d.Next.IsZero() {
		e.next = time.Time{}
	}
	b.alarms.Wake(e.name, after(b.now, e.next))
	if len(d.Run) == 0 && len(d.Skipped) == 0 {
		return
	}
	e.state.Born, e.state.Handled = e.born, d.Handled.UTC()
	var writes []sdk.StoreOp
	for _, s := range d.Skipped {
		if plantSkipUnsaid {
			break
		}
		writes = append(writes, b.skip(e, BySlot, s)...)
	}
	var made []*run
	for _, at := range d.Run {
		r := &run{rec: runRecord{Job: e.name, Born: e.born, Cause: BySlot, Nominal: at.UTC(), Decided: b.now}}
		b.enrol(e, r)
		made = append(made, r)
		writes = append(writes, put(runKey(&r.rec), &r.rec))
	}
	if len(d.Skipped) > 0 { // without, the runs' records tell what was handled
		writes = append(writes, put(stateKey(e.name), &e.state))
	}
	b.post(&mind.Posting{Writes: writes, Done: func() { b.decided(made) }})
	for _, r := range made {
		b.expire(e, r) // to be woken
	}
}

func (b *Book) decided(made []*run) {
	for _, r := range made {
		r.decided, r.known = true, true
		b.touch(r.rec.Job)
	}
}

// made is a new run that no slot has caused. Its nominal time is its own: no other of the
// job has the same.
func (b *Book) made(e *entry, cause Cause) *run {
	e.state.Made = max(b.now.UnixMilli(), e.state.Made+1)
	return &run{rec: runRecord{
		Job: e.name, Born: e.born, Cause: cause, Nominal: time.UnixMilli(e.state.Made).UTC(), Decided: b.now,
	}}
}
