package book

import (
	"time"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// update takes in what the kernel says of a task.
func (b *Book) update(st sdk.TaskStatus) {
	r := b.attempts[st.TaskID]
	if r == nil {
		b.stranger(st)
		return
	}
	if r.ended { // its end is on its way to the store
		r.acks = append(r.acks, st)
		return
	}
	e := b.jobs[r.rec.Job]
	b.session.Tell(&r.watch, true)
	if due.Terminal(st.State) {
		r.acks, r.state = append(r.acks, st), st.State
		v := due.Judge(due.End{State: st.State, Started: !r.rec.Started.IsZero() || !plantGoneIsNever && !st.NeverLaunched(), Stop: r.rec.Stop})
		reason := st.Message
		if r.rec.Stop != due.NotStopped && v != due.Succeeded {
			reason = string(r.rec.Stop)
		}
		b.conclude(e, r, v, reason, st)
		return
	}
	b.alive(e, r, st)
	if st.State == sdk.TaskUnreachable { // that it still is may be what was waited for
		b.touch(e.name)
	}
}

func (b *Book) acknowledge(st sdk.TaskStatus) {
	if len(st.UUID) > 0 {
		b.emit(mind.Acknowledge{Status: st})
	}
}

// alive takes in a status of an attempt that has not ended. That it was seen running is
// in the store before it is acknowledged: from then on its agent's not knowing it does
// not mean that it was never launched.
func (b *Book) alive(e *entry, r *run, st sdk.TaskStatus) {
	r.state = st.State
	changed := mind.Absent(b.now, &st, &r.rec.Lost, &r.rec.Absence)
	if st.State == sdk.TaskRunning && !r.counted {
		changed = b.sawRun(r, &st) || changed
		b.touch(e.name) // its time counts from now on
	}
	if !changed && r.saving == 0 {
		b.acknowledge(st)
		return
	}
	b.touch(e.name)
	b.save(r, func() { b.acknowledge(st) })
}

// sawRun takes in that an attempt runs, and since when: by its agent's clock, and as this one
// can have it. What a predecessor read of his clock, which may be another machine's, says
// nothing here; then it runs for no longer than has passed up to an answer of the masters,
// which says what is so now. It tells whether the record changed.
func (b *Book) sawRun(r *run, st *sdk.TaskStatus) (changed bool) {
	x, at := &r.rec, mind.Moment(st.Timestamp, b.now)
	switch answer := len(st.UUID) == 0; {
	case x.Started.IsZero() && r.loaded:
		x.Started, changed = at, true
		r.started, r.counted = b.now, true
	case x.Started.IsZero():
		x.Started, changed = at, true
		r.started, r.counted = mind.Within(at, x.Staged, b.now), true
	case answer:
		r.started, r.counted = mind.Within(x.Started, x.Staged, b.now), true
		if least := b.now.Add(-max(at.Sub(x.Started), 0)); least.After(r.started) {
			r.started = least
		}
	case r.started.IsZero():
		r.started = b.now // until the answer comes
	}
	return changed
}

// stranger takes in a status of a task of which there is no record. The return of one
// that was given up as lost is told of in the history: that it goes on, and its end.
func (b *Book) stranger(st sdk.TaskStatus) {
	over := due.Terminal(st.State)
	switch {
	case over || st.State == sdk.TaskUnreachable:
		b.session.Orphans.Remove(st.TaskID)
	case b.session.Orphans.Add(st.TaskID, st.AgentID):
		b.log(mind.Warn, "a task of ours has no record; it is ended when all attempts are accounted for", "task", st.TaskID, "agent", st.AgentID)
	}
	e, lost, told := b.lostLine(st.TaskID)
	if lost == nil || len(st.UUID) == 0 && over || st.State == sdk.TaskUnreachable || told && !over {
		b.acknowledge(st)
		return
	}
	rec := *lost
	rec.Outcome, rec.State, rec.Again, rec.Wait = Returned, st.State, false, st.WaitStatus
	rec.Reason = "it was heard of again after it had been given up as lost: " + string(st.State)
	rec.Ended = time.Time{}
	if over {
		rec.Ended = mind.Moment(st.Timestamp, b.now)
	}
	b.post(&mind.Posting{Writes: b.note(e, rec), Done: func() { b.acknowledge(st) }})
}

// lostLine is the line of the history that gives an attempt up, and whether it is told
// there already that it goes on; nil: there is none, or its end is told.
func (b *Book) lostLine(id sdk.TaskID) (e *entry, lost *Record, told bool) {
	if e = b.jobs[JobOf(id)]; e == nil || e.job == nil || e.deleting {
		return nil, nil, false
	}
	for i := len(e.history) - 1; i >= 0; i-- {
		switch rec := e.history[i].rec; {
		case rec.TaskID != id:
		case rec.Outcome == Returned && !rec.Ended.IsZero():
			return nil, nil, false
		case rec.Outcome == Returned:
			told = true
		case rec.Outcome == string(due.Lost) || rec.State == sdk.TaskUnreachable:
			return e, rec, told
		}
	}
	return nil, nil, false
}
