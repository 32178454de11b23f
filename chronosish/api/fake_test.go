package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/graph"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/gateway"
	"github.com/profferhq/proffer/sdk/scheduler/rest/resttest"
)

// fake is a Backend whose changes are done at once; runs happen when a test says so.
type fake struct {
	mu      sync.RWMutex
	now     time.Time
	jobs    map[string]book.Status
	history map[string][]book.Record // newest first
	info    Info
	fails   error // of the next changes
	last    book.Change
	changes int         // that changed something
	between func(*fake) // runs once between a read and a change
	output  func(task sdk.TaskID, stream string, bytes int) ([]byte, int64, error)
}

func newFake() *fake {
	return &fake{now: time.Date(2026, 1, 1, 12, 0, 0, 250e6, time.UTC), jobs: map[string]book.Status{}, history: map[string][]book.Record{},
		info: Info{Software: "0.1.0", FrameworkID: "f-1", Elected: true, Leader: "127.0.0.1:4400"}}
}

// handler is the API with a gateway that takes everybody for an operator, or nobody.
func (f *fake) handler(operator bool) http.Handler {
	s := &server{backend: f, opts: DefaultOptions(), now: func() time.Time { return f.now }}
	return resttest.As(gateway.Caller{Principal: "ada", Operator: operator}, s.handler())
}

func (f *fake) Read(do func(View)) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	do(f)
}

func (f *fake) Info() Info { return f.info }

func (f *fake) Output(_ context.Context, _ sdk.AgentID, task sdk.TaskID, stream string, bytes int) ([]byte, int64, error) {
	return f.output(task, stream, bytes)
}

func (f *fake) Jobs() []book.Status {
	list := make([]book.Status, 0, len(f.jobs))
	for _, st := range f.jobs {
		list = append(list, st)
	}
	slices.SortFunc(list, func(a, b book.Status) int { return cmp.Compare(a.Job.Name, b.Job.Name) })
	return list
}

func (f *fake) Job(name string) (book.Status, bool) {
	st, ok := f.jobs[name]
	return st, ok
}

func (f *fake) History(name string, limit int) []book.Record {
	list := f.history[name]
	if limit > 0 {
		list = list[:min(limit, len(list))]
	}
	return slices.Clone(list)
}

func (f *fake) find(name string) *job.Job { return f.jobs[name].Job }

func (f *fake) Change(ctx context.Context, c book.Change) (book.Outcome, error) {
	if between := f.between; between != nil {
		f.between = nil
		between(f)
	}
	if f.fails != nil {
		return book.Outcome{}, f.fails
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = c
	for name, v := range c.IfVersion {
		if j := f.find(name); j == nil && v != 0 || j != nil && j.Version != v {
			return book.Outcome{}, job.Refusef(http.StatusConflict, "The job %s has changed meanwhile.", name)
		}
	}
	o := book.Outcome{At: f.now}
	switch c.Kind {
	case book.Put:
		if r := graph.Check(c.Jobs, f.find); r != nil {
			return o, r
		}
		for _, j := range c.Jobs {
			was := f.jobs[j.Name]
			if was.Job != nil && was.Job.Same(j) {
				continue
			}
			o.Change = true
			f.changes++
			next := was
			next.Job = j.Clone()
			next.Job.Version++
			if j.Created.IsZero() {
				next.Job.Created = f.now
			}
			if was.Job != nil {
				next.Job.Version = was.Job.Version + 1
				if !j.Continues(was.Job) {
					next.Handled, next.Exhausted = time.Time{}, false
				}
			}
			f.jobs[j.Name] = next
		}
	case book.Switch:
		st := f.jobs[c.Names[0]]
		st.Job = st.Job.Clone()
		st.Job.Disabled = c.Disabled
		f.jobs[c.Names[0]] = st
	case book.Delete:
		delete(f.jobs, c.Names[0])
	case book.RunNow:
		st := f.jobs[c.Names[0]]
		st.Runs = append(slices.Clone(st.Runs), book.Run{Job: c.Names[0], ID: "hand-1", Cause: book.ByHand, Nominal: f.now})
		f.jobs[c.Names[0]] = st
	case book.Kill:
		st := f.jobs[c.Names[0]]
		st.Runs = nil
		f.jobs[c.Names[0]] = st
	}
	return o, nil
}

// ran is a run of a job that was due at an offset from now, started and ended so many
// seconds later.
func (f *fake) ran(name string, due, start, end time.Duration, outcome string, wait int32) {
	st, nominal := f.jobs[name], f.now.Add(due)
	r := book.Record{Job: name, Run: "slot-" + job.Instant(nominal), Cause: book.BySlot, Nominal: nominal, Outcome: outcome, At: nominal.Add(end),
		TaskID: sdk.TaskID("ct:1:0:" + name + ":x"), AgentID: "a1", Host: "h1", State: sdk.TaskFinished, Started: nominal.Add(start), Ended: nominal.Add(end), Wait: &wait}
	if outcome == "SUCCEEDED" {
		st.Successes, st.LastSuccess, st.ErrorsSinceSuccess = st.Successes+1, r.Ended, 0
	} else {
		st.Errors, st.LastError, st.ErrorsSinceSuccess, r.State = st.Errors+1, r.Ended, st.ErrorsSinceSuccess+1, sdk.TaskFailed
	}
	st.Handled = nominal
	f.jobs[name] = st
	f.history[name] = append([]book.Record{r}, f.history[name]...)
}
