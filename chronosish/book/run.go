package book

import (
	"slices"
	"time"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/graph"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// run is a slot that was decided to run, with its present attempt.
type run struct {
	rec      runRecord
	decided  bool // its record is in the store as it is
	known    bool // a record of it is in the store: readers see it
	seen     bool // offers were asked for because of it
	offer    sdk.OfferID
	launched bool // its launch record is in the store, and ACCEPT was said
	watch    mind.Watched
	state    sdk.TaskState
	loaded   bool      // it was there before this book
	started  time.Time // rec.Started, which its agent's clock told, as this clock can have it; zero: not told yet
	counted  bool      // that is the last word
	saving   int       // writes of its record that are not in the store yet
	stopping bool      // the decision to end it is in the store
	killed   time.Time
	ended    bool
	acks     []sdk.TaskStatus // once its end is in the store
}

// waits tells whether the run has no attempt.
func (r *run) waits() bool { return r.rec.Task == "" && !r.ended }

func (r *run) shown() Run {
	x := r.rec
	if !r.launched { // that it is to be is not in the store yet
		x.Task, x.Agent, x.Host, x.Staged = "", "", "", time.Time{}
	}
	state := r.state
	if x.Task == "" {
		state = ""
	}
	return Run{
		Job: x.Job, ID: x.id(), Cause: x.Cause, Nominal: x.Nominal, Attempt: x.Attempt, Failures: x.Failures, Parents: x.Parents,
		Decided: x.Decided, NotBefore: x.NotBefore, TaskID: x.Task, AgentID: x.Agent, Host: x.Host, State: state,
		Staged: x.Staged, Started: x.Started, Lost: x.Lost, Stop: x.Stop,
	}
}

// enrol takes in a run.
func (b *Book) enrol(e *entry, r *run) {
	e.runs = append(e.runs, r)
	if r.rec.Task != "" {
		b.attempts[r.rec.Task] = r
	}
}

// strike takes a run out of its job's list.
func (e *entry) strike(r *run) {
	e.runs = slices.DeleteFunc(e.runs, func(x *run) bool { return x == r })
}

// save has the record stored as it is now.
func (b *Book) save(r *run, done func()) {
	r.saving++
	b.post(&mind.Posting{Writes: []sdk.StoreOp{put(runKey(&r.rec), &r.rec)}, Done: func() {
		r.saving--
		done()
	}})
}

// of tells whether the run is one of the job that there is now.
func (e *entry) of(r *run) bool { return e.job != nil && !e.deleting && r.rec.Born == e.born }

// stop decides that an attempt is to end, or ends a run that waits.
func (b *Book) stop(e *entry, r *run, why due.Stop) {
	switch {
	case r.ended || r.rec.Stop != due.NotStopped:
	case r.waits():
		b.conclude(e, r, due.Killed, string(why), sdk.TaskStatus{})
	default:
		r.rec.Stop = why
		b.save(r, func() {
			r.stopping = true
			b.touch(e.name)
		})
	}
}

// kill says KILL where it is due, and again where nothing came of it.
func (b *Book) kill(e *entry, r *run) {
	if !r.stopping || !r.launched || r.ended || !b.session.Up() {
		return
	}
	if r.killed.IsZero() || !b.now.Before(r.killed.Add(b.opt.KillRetry)) {
		r.killed = b.now
		b.emit(mind.Kill{Task: r.rec.Task, Agent: r.rec.Agent})
	}
	b.alarms.Wake(e.name, r.killed.Add(b.opt.KillRetry))
}

// conclude writes down what has become of a run's attempt, and makes the next one if
// there is one. All of it is one posting: the end, the history, the counts, and what the
// children are told.
func (b *Book) conclude(e *entry, r *run, v due.Verdict, reason string, st sdk.TaskStatus) {
	r.ended = true
	e.ending = append(e.ending, r)
	b.session.Drop(&r.watch)
	if !e.of(r) {
		e.strike(r)
		b.post(&mind.Posting{Writes: []sdk.StoreOp{remove(runKey(&r.rec))}, Done: func() { b.bury(e, r) }})
		return
	}
	next := r.rec
	if due.Counts(v) {
		next.Failures++
	}
	again := due.Again(v, next.Failures, e.job.Retries, e.job.RetryOnLost)
	line := Record{
		Job: e.name, Run: r.rec.id(), Cause: r.rec.Cause, Nominal: r.rec.Nominal, Attempt: r.rec.Attempt, Outcome: string(v), Reason: reason,
		Again: again, Parents: r.rec.Parents, TaskID: r.rec.Task, AgentID: r.rec.Agent, Host: r.rec.Host, State: st.State,
		Started: r.rec.Started, Ended: mind.Moment(st.Timestamp, b.now), Wait: st.WaitStatus,
	}
	writes := b.note(e, line)
	var successor *run
	var caused []*run
	if again {
		next.Attempt++
		next.Task, next.Agent, next.Host, next.Stop = "", "", "", due.NotStopped
		next.Staged, next.Started, next.Lost, next.Absence = time.Time{}, time.Time{}, time.Time{}, 0
		next.NotBefore = b.now.Add(b.pause(e, v))
		successor = &run{rec: next}
		e.runs[slices.Index(e.runs, r)] = successor
		writes = append(writes, put(runKey(&next), &next))
	} else {
		e.strike(r)
		writes = append(writes, remove(runKey(&r.rec)))
		var told []sdk.StoreOp
		told, caused = b.account(e, r, v)
		writes = append(writes, told...)
	}
	b.post(&mind.Posting{Writes: writes, Done: func() {
		if successor != nil {
			successor.decided, successor.known = true, true
		}
		b.decided(caused)
		b.bury(e, r)
	}})
	b.touch(e.name)
}

// neverPause is from an attempt that the agent never had to the next.
const neverPause = 100 * time.Millisecond

func (b *Book) pause(e *entry, v due.Verdict) time.Duration {
	if v == due.Never {
		return neverPause
	}
	return e.job.RetryDelay.Length
}

// account counts the end of a run, and tells the children where it is one for them. The
// runs of these are decided with it.
func (b *Book) account(e *entry, r *run, v due.Verdict) ([]sdk.StoreOp, []*run) {
	s := &e.state
	s.Born = e.born
	if r.rec.Cause == BySlot && r.rec.Nominal.After(s.Handled) {
		s.Handled = r.rec.Nominal
	}
	switch {
	case v == due.Succeeded:
		s.succeed(e.born, b.now)
	case due.Counts(v):
		s.Errors, s.Since, s.Error = s.Errors+1, s.Since+1, b.now
	}
	writes := []sdk.StoreOp{put(stateKey(e.name), s)}
	if !graph.Releases(e.job, v == due.Succeeded, due.Counts(v)) {
		return writes, nil
	}
	told, caused := b.release(e, string(r.rec.Task))
	return append(writes, told...), caused
}

// release tells the children of a job of a success, and makes the runs of those all of
// whose parents have succeeded now.
func (b *Book) release(e *entry, cause string) (writes []sdk.StoreOp, caused []*run) {
	for _, name := range sortedKeys(b.children[e.name]) {
		c := b.jobs[name]
		if c == nil || c.job == nil || c.deleting {
			continue
		}
		left, causes, start := graph.Release(c.job, c.state.Tokens, e.name, cause)
		c.state.Born, c.state.Tokens = c.born, left
		switch {
		case start:
			r := b.made(c, ByParents)
			r.rec.Parents = causes
			b.enrol(c, r)
			caused = append(caused, r)
			writes = append(writes, put(runKey(&r.rec), &r.rec))
		case left == nil && c.job.Disabled:
			writes = append(writes, b.skip(c, ByParents, due.Skip{First: b.now, Last: b.now, Count: 1, Reason: due.Disabled})...)
		}
		writes = append(writes, put(stateKey(name), &c.state))
		b.touch(name)
	}
	return writes, caused
}

// bury forgets an attempt whose end is in the store.
func (b *Book) bury(e *entry, r *run) {
	if r.rec.Task != "" {
		delete(b.attempts, r.rec.Task)
	}
	e.ending = slices.DeleteFunc(e.ending, func(x *run) bool { return x == r })
	for _, st := range r.acks {
		if due.Terminal(r.state) {
			b.acknowledge(st)
		} else { // it was given up, and came back meanwhile
			b.stranger(st)
		}
	}
	b.touch(e.name)
	b.forget(e)
}
