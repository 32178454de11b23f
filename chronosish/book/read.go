package book

import (
	"cmp"
	"slices"
	"time"
)

// sortRuns puts runs in the order in which they were decided; first what has begun, since
// clocks that differ may have dated it later than what waits behind it.
func sortRuns(list []*run) {
	waiting := func(r *run) int {
		if r.rec.Task != "" || r.rec.Attempt > 0 {
			return 0
		}
		return 1
	}
	slices.SortFunc(list, func(x, y *run) int {
		return cmp.Or(waiting(x)-waiting(y), x.rec.Decided.Compare(y.rec.Decided), x.rec.Nominal.Compare(y.rec.Nominal), cmp.Compare(x.rec.Cause, y.rec.Cause))
	})
}

// What is read is in the store: a run is there from its decision until its end is, and a
// line of the history from then on. (Counts are ahead by what is on its way.)

// Jobs are all jobs, by name.
func (b *Book) Jobs() []Status {
	var list []Status
	for _, name := range sortedKeys(b.jobs) {
		if e := b.jobs[name]; e.job != nil {
			list = append(list, b.status(e))
		}
	}
	return list
}

// Job is the one of that name; false: there is none.
func (b *Book) Job(name string) (Status, bool) {
	if e := b.jobs[name]; e != nil && e.job != nil {
		return b.status(e), true
	}
	return Status{}, false
}

func (b *Book) status(e *entry) Status {
	s := &e.state
	st := Status{
		Job: e.job, Successes: s.Successes, Errors: s.Errors, ErrorsSinceSuccess: s.Since, LastSuccess: s.Success, LastError: s.Error,
		Handled: e.handled(), Next: e.next, Exhausted: e.ended, Waits: b.waitsFor(e),
	}
	for _, list := range [][]*run{e.ending, e.runs} {
		for _, r := range list {
			if r.known {
				st.Runs = append(st.Runs, r.shown())
			}
		}
	}
	return st
}

// waitsFor says what the first run of a job that is due waits for; empty: none is.
func (b *Book) waitsFor(e *entry) string {
	i := slices.IndexFunc(e.runs, func(r *run) bool { return r.waits() && r.known && !r.rec.NotBefore.After(b.now) })
	switch {
	case i < 0:
		return ""
	case i > 0 && !e.job.Concurrent:
		return "the end of the run before it"
	case !b.session.Up():
		return "a master that leads"
	case e.waits == "":
		return "an offer of resources"
	}
	return e.waits
}

// History is what is still known of a job's attempts that have ended and of its skipped
// slots, newest first; at most limit lines, 0 for all.
func (b *Book) History(name string, limit int) []Record {
	e := b.jobs[name]
	if e == nil || e.job == nil {
		return nil
	}
	var list []Record
	for i := len(e.history) - 1; i >= 0 && (limit == 0 || len(list) < limit); i-- {
		if l := e.history[i]; l.stored {
			list = append(list, *l.rec)
		}
	}
	return list
}

// Upcoming are the next slots of a job after a time, at most limit.
func (b *Book) Upcoming(name string, after time.Time, limit int) []time.Time {
	e := b.jobs[name]
	if e == nil || e.schedule == nil {
		return nil
	}
	if h := e.handled(); h.After(after) {
		after = h
	}
	var list []time.Time
	for len(list) < limit {
		at, _, ok := e.schedule.Next(after)
		if !ok {
			break
		}
		list = append(list, at)
		after = at
	}
	return list
}

// Children are the jobs that start after that one, by name.
func (b *Book) Children(name string) []string { return sortedKeys(b.children[name]) }

// Counts are numbers for the metrics.
type Counts struct {
	Jobs, Waiting, Attempts, History, HistoryBytes int
}

// Counts counts.
func (b *Book) Counts() Counts {
	c := Counts{History: len(b.history.lines), HistoryBytes: b.history.bytes, Attempts: len(b.attempts)}
	for _, e := range b.jobs {
		if e.job != nil {
			c.Jobs++
		}
		for _, r := range e.runs {
			if r.waits() {
				c.Waiting++
			}
		}
	}
	return c
}
