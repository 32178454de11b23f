package slots

import (
	"cmp"
	"fmt"
	"slices"
)

// Job is what a scheduler was asked for. Times are milliseconds.
type Job struct {
	Name          string
	Start, Period int64  // of a schedule, since 1970
	Count         int64  // 0: without end
	Window        int64  // how late a slot may start; 0: however late
	Parent        string // runs after each success of that job, and has no schedule
	Concurrent    bool
	Retries       int
	RetryDelay    int64
	Fails         bool // its work may fail, and then writes no end
}

// Outcomes of Records that mean something here.
const (
	succeeded = "SUCCEEDED"
	skipped   = "SKIPPED"
	never     = "NEVER" // the attempt was not launched
	failed    = "FAILED"
	returned  = "RETURNED" // no end: it was heard of again
)

// Record is one line of the scheduler's history: an attempt that has ended, or slots that
// were skipped, from Nominal to Last.
type Record struct {
	Job           string
	Nominal, Last int64
	Attempt       int
	Task          string
	Outcome       string
	Reason        string
	At            int64 // when it was written, milliseconds since 1970
}

// grace is how long after the end of its window a run may begin: the window is about when
// a run is launched (milliseconds).
const grace = 5000

// attempt is what the files tell of one task.
type attempt struct {
	Line         // of its begin, or its end where it has none
	begun, ended int64
}

// past is what is known of one job.
type past struct {
	job      Job
	attempts []*attempt // by begin
	records  []Record
	tally    *Tally
}

// judge gathers findings.
type judge struct {
	until    int64
	told     bool // there is a history
	jobs     map[string]*past
	tasks    map[string]*attempt
	findings []Finding
}

// Judge says what was wrong with the runs of jobs whose slots lie until that time
// (inclusive, milliseconds since 1970). It must be later by enough that all of them have
// ended by when lines and records were read. A job has one parent at most.
func Judge(jobs []Job, lines []Line, records []Record, until int64) Report {
	j := &judge{until: until, told: len(records) > 0, jobs: map[string]*past{}, tasks: map[string]*attempt{}}
	r := Report{Tallies: map[string]*Tally{}}
	for _, job := range jobs {
		r.Tallies[job.Name] = &Tally{Why: map[string]int{}}
		j.jobs[job.Name] = &past{job: job, tally: r.Tallies[job.Name]}
	}
	for _, l := range lines {
		j.read(l)
	}
	for _, rec := range records {
		if p := j.jobs[rec.Job]; p != nil {
			p.records = append(p.records, rec)
		}
	}
	for _, job := range jobs {
		p := j.jobs[job.Name]
		slices.SortStableFunc(p.attempts, func(x, y *attempt) int { return cmp.Compare(x.begun, y.begun) })
		runs := p.runs()
		if job.Parent == "" {
			j.slots(p, runs)
		} else {
			j.children(p, runs)
		}
		for _, run := range runs {
			j.retries(p, run)
		}
		j.overlaps(p)
		j.compare(p)
		slices.Sort(p.tally.Lateness)
	}
	r.Findings = j.findings
	slices.SortStableFunc(r.Findings, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(x.Job, y.Job), cmp.Compare(x.Nominal, y.Nominal))
	})
	return r
}

func (j *judge) find(v Verdict, job string, nominal int64, format string, args ...any) {
	j.findings = append(j.findings, Finding{v, job, nominal, fmt.Sprintf(format, args...)})
}

// read takes in a line.
func (j *judge) read(l Line) {
	p := j.jobs[l.Job]
	if p == nil {
		j.find(Count, l.Job, l.Nominal, "there is no such job, and %s ran", l.Task)
		return
	}
	a := j.tasks[l.Task]
	if a == nil {
		a = &attempt{Line: l}
		j.tasks[l.Task] = a
		p.attempts = append(p.attempts, a)
	}
	at := &a.begun
	if l.Phase == End {
		at = &a.ended
	}
	if *at != 0 {
		j.find(Duplicate, l.Job, l.Nominal, "the task %s has more than one %s, at %s and %s", l.Task, l.Phase, clock(*at), clock(l.At))
	}
	*at = l.At
}

// runs are the attempts of each run, by nominal time; a run's own are by begin.
func (p *past) runs() [][]*attempt {
	byTime := map[int64][]*attempt{}
	for _, a := range p.attempts {
		byTime[a.Nominal] = append(byTime[a.Nominal], a)
	}
	var list [][]*attempt
	for _, run := range byTime {
		list = append(list, run)
	}
	slices.SortFunc(list, func(x, y []*attempt) int { return cmp.Compare(x[0].Nominal, y[0].Nominal) })
	return list
}

// counts tells whether an attempt must have ended by now: its slot is one of those that
// are judged, or its parent's is.
func (j *judge) counts(a *attempt) bool {
	for _, id := range a.Parents {
		if parent := j.tasks[id]; parent != nil {
			return parent.Nominal <= j.until
		}
	}
	return a.Nominal <= j.until
}

// failed tells whether the history says so of an attempt.
func (p *past) failed(a *attempt) bool {
	return slices.ContainsFunc(p.records, func(r Record) bool { return r.Task == a.Task && r.Outcome == failed })
}

// retries looks at the attempts of one run among each other.
func (j *judge) retries(p *past, run []*attempt) {
	p.tally.Retries += len(run) - 1
	if len(run) > p.job.Retries+1 {
		j.find(RetryBudget, p.job.Name, run[0].Nominal, "%d attempts began, with %d retries", len(run), p.job.Retries)
	}
	for i, a := range run {
		switch {
		case a.begun == 0:
			j.find(Broken, p.job.Name, a.Nominal, "%s ended and never began", a.Task)
		case a.ended == 0 && j.counts(a) && !(p.job.Fails && p.failed(a)):
			j.find(Broken, p.job.Name, a.Nominal, "%s began at %s and never ended", a.Task, clock(a.begun))
		case a.ended != 0 && a.ended < a.begun:
			j.find(Broken, p.job.Name, a.Nominal, "%s ended before it began", a.Task)
		}
		if i == 0 {
			continue
		}
		before := run[i-1]
		over := max(before.begun, before.ended)
		switch {
		case a.Attempt <= before.Attempt:
			j.find(Duplicate, p.job.Name, a.Nominal, "the attempt %d began at %s as %s, after the attempt %d as %s", a.Attempt, clock(a.begun), a.Task, before.Attempt, before.Task)
		case before.ended != 0:
			j.find(Duplicate, p.job.Name, a.Nominal, "the attempt %d began at %s although the attempt %d had succeeded at %s", a.Attempt, clock(a.begun), before.Attempt, clock(before.ended))
		case a.begun < over+p.job.RetryDelay:
			j.find(RetryBudget, p.job.Name, a.Nominal, "the attempt %d began %d ms after the attempt %d", a.Attempt, a.begun-over, before.Attempt)
		}
	}
}

// overlaps finds runs of a job at once where they may not be.
func (j *judge) overlaps(p *past) {
	var last *attempt
	for _, a := range p.attempts {
		if p.job.Concurrent || a.begun == 0 {
			continue
		}
		if last != nil && a.begun < last.ended && a.Nominal != last.Nominal {
			j.find(Duplicate, p.job.Name, a.Nominal, "%s began at %s, and %s went on until %s", a.Task, clock(a.begun), last.Task, clock(last.ended))
		}
		if last != nil && a.Nominal < last.Nominal {
			j.find(Order, p.job.Name, a.Nominal, "it began at %s, and %s before it at %s", clock(a.begun), last.Task, clock(last.begun))
		}
		if last == nil || a.ended >= last.ended {
			last = a
		}
	}
}

// compare holds the history against the files.
func (j *judge) compare(p *past) {
	fates := map[string]Record{}
	for _, r := range p.records {
		if r.Outcome == skipped || r.Outcome == returned {
			continue
		}
		fates[r.Task] = r
		a := j.tasks[r.Task]
		switch {
		case a == nil || a.begun == 0:
			if r.Outcome == succeeded {
				j.find(Phantom, p.job.Name, r.Nominal, "%s has succeeded by the history, and wrote nothing", r.Task)
			}
		case r.Outcome == never:
			j.find(Resurrected, p.job.Name, r.Nominal, "%s was never launched by the history, and began at %s", r.Task, clock(a.begun))
		case a.begun > r.At:
			j.find(Resurrected, p.job.Name, r.Nominal, "%s began at %s, after it had ended as %s at %s by the history", r.Task, clock(a.begun), r.Outcome, clock(r.At))
		}
	}
	for _, a := range p.attempts {
		if r := fates[a.Task]; j.told && a.ended != 0 && j.counts(a) && r.Outcome != succeeded {
			j.find(Untold, p.job.Name, a.Nominal, "%s has succeeded at %s; the history has %q (%s)", a.Task, clock(a.ended), r.Outcome, r.Reason)
		}
	}
}
