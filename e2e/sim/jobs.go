package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// jobs are chronosish's: what the store has of their slots.
type jobs struct {
	periods  map[string]time.Duration
	forbids  map[string]bool // that two run at once
	single   map[string]bool // that a slot has more than one attempt
	slots    map[slot]*fate
	open     map[string]*fate // those that are to run, by the key of the run's record
	first    map[string]time.Time
	attempts map[sdk.TaskID]*attempt
	gone     map[sdk.TaskID]bool // given up with their agents
	lines    map[string]string   // of the history, by key
	unsaid   map[slot]bool       // that the history had no room for, as operators were told
}

// slot is one nominal time of one job.
type slot struct {
	job string
	at  int64 // unix milliseconds
}

// noRoom begins what operators are told of a line that the history has no room for.
const noRoom = "this is not written down in the history"

// noLine is the verdict of an attempt whose line the history has no room for.
const noLine = "no line"

// fate is what was decided about a slot.
type fate struct {
	open   string // key of its run's record; empty: there is none now
	final  string // what has become of it; empty: nothing yet
	starts []sdk.TaskID
}

// attempt is one task.
type attempt struct {
	run     runRecord
	started bool
	verdict string
}

// runRecord is what the store has of a run, as far as it matters here.
type runRecord struct {
	Job     string     `json:"job"`
	Cause   book.Cause `json:"cause"`
	Nominal time.Time  `json:"nominal"`
	Task    sdk.TaskID `json:"task"`
}

func (r *runRecord) slot() slot { return slot{r.Job, r.Nominal.UnixMilli()} }

func newJobs() *jobs {
	return &jobs{
		periods: map[string]time.Duration{"latest": 20 * time.Second, "window": 15 * time.Second, "several": 30 * time.Second, "single": 25 * time.Second},
		forbids: map[string]bool{"latest": true, "window": true, "single": true, "child": true},
		single:  map[string]bool{"single": true},
		slots:   map[slot]*fate{}, open: map[string]*fate{}, first: map[string]time.Time{}, attempts: map[sdk.TaskID]*attempt{}, gone: map[sdk.TaskID]bool{},
		lines: map[string]string{}, unsaid: map[slot]bool{},
	}
}

// Name is the framework's.
func (j *jobs) Name() string { return "chronosish" }

// Load makes the mind.
func (j *jobs) Load(now time.Time, _ uint64, kvs []sdk.StoreKV) (mind.Mind, error) {
	return book.Load(now, book.Options{}, kvs)
}

// definitions are the jobs.
func (j *jobs) definitions() []*job.Job {
	seconds := func(n int) *job.Duration { d := job.Seconds(n); return &d }
	list := []*job.Job{
		{Name: "latest"},
		{Name: "window", Epsilon: seconds(30), Retries: 1},
		{Name: "several", Epsilon: seconds(60), Concurrent: true, Retries: 2, RetryOnLost: true},
		{Name: "single", Epsilon: seconds(60)},
		{Name: "child", Parents: []string{"several", "single"}, SoftError: true},
	}
	for _, x := range list {
		if p := j.periods[x.Name]; p > 0 {
			x.Schedule = fmt.Sprintf("R/2023-11-14T00:00:00Z/PT%dS", p/time.Second)
		}
		x.Command, x.Shell, x.CPUs, x.Mem = "work", true, 0.1, 16
		x.LostAfter, x.RetryDelay = job.Seconds(40), job.Seconds(2)
	}
	return list
}

// Ask is what a user wants.
func (j *jobs) Ask(r *rand.Rand, number uint64, m mind.Mind, calm bool) mind.Input {
	b := m.(*book.Book)
	c := book.Change{}
	name := []string{"latest", "window", "several", "single", "child"}[r.IntN(5)]
	switch kind := r.IntN(6); {
	case len(b.Jobs()) == 0:
		c.Kind, c.Jobs = book.Put, j.definitions()
	case calm:
		return nil
	case kind == 0:
		c.Kind, c.Names = book.RunNow, []string{name}
	case kind == 1:
		c.Kind, c.Names = book.Kill, []string{name}
	case kind == 2:
		c.Kind, c.Names = book.Succeed, []string{"single"}
	default:
		return nil
	}
	return mind.Request[book.Change]{ID: number, Change: c}
}

// Answered looks at nothing: what jobs bring about is seen in the store.
func (j *jobs) Answered(mind.Answer) error { return nil }

// Stored looks at each transaction: each slot is decided once.
func (j *jobs) Stored(changes []sdk.StoreChange) error {
	for _, c := range changes {
		var err error
		switch {
		case strings.HasPrefix(c.KV.Key, "runs/"):
			err = j.run(c)
		case strings.HasPrefix(c.KV.Key, "history/") && !c.Deleted:
			// A transaction that is tried again says the same again.
			if text := string(c.KV.Value); j.lines[c.KV.Key] != text {
				j.lines[c.KV.Key] = text
				err = j.line(c.KV.Value)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *jobs) fate(s slot) *fate {
	f := j.slots[s]
	if f == nil {
		f = &fate{}
		j.slots[s] = f
		if at := time.UnixMilli(s.at); j.first[s.job].IsZero() || at.Before(j.first[s.job]) {
			j.first[s.job] = at
		}
	}
	return f
}

func (j *jobs) run(c sdk.StoreChange) error {
	if c.Deleted {
		if f := j.open[c.KV.Key]; f != nil {
			f.open = ""
			delete(j.open, c.KV.Key)
		}
		return nil
	}
	var r runRecord
	if err := json.Unmarshal(c.KV.Value, &r); err != nil {
		return err
	}
	if r.Cause == book.BySlot {
		f := j.fate(r.slot())
		if f.final != "" {
			return fmt.Errorf("the slot %v of %s is to run, and was decided before: %s", r.Nominal, r.Job, f.final)
		}
		f.open, j.open[c.KV.Key] = c.KV.Key, f
	}
	if r.Task != "" && j.attempts[r.Task] == nil {
		j.attempts[r.Task] = &attempt{run: r}
	}
	return nil
}

func (j *jobs) line(value []byte) error {
	var r book.Record
	if err := json.Unmarshal(value, &r); err != nil {
		return err
	}
	if a := j.attempts[r.TaskID]; a != nil && r.Outcome != book.Returned {
		a.verdict = r.Outcome
		if a.started && r.Outcome == string(due.Never) {
			return fmt.Errorf("%s was started, and is said never to have been launched", r.TaskID)
		}
	}
	if r.Cause != book.BySlot || r.Outcome == book.Returned || r.Again || j.periods[r.Job] == 0 {
		return nil
	}
	last := r.Nominal
	if r.Outcome == book.Skipped {
		last = r.Last
	}
	for at := r.Nominal; !at.After(last); at = at.Add(j.periods[r.Job]) {
		f := j.fate(slot{r.Job, at.UnixMilli()})
		if f.final != "" {
			return fmt.Errorf("the slot %v of %s is decided again: %s, %s", at, r.Job, f.final, r.Outcome)
		}
		f.final = r.Outcome + " " + r.Reason
		if r.Outcome == book.Skipped && len(f.starts) > 0 {
			return fmt.Errorf("the slot %v of %s was started and is skipped", at, r.Job)
		}
	}
	return nil
}

// Told notes what was given up with its agent; what else follows from a status is seen in the
// store.
func (j *jobs) Told(status *sdk.TaskStatus) error {
	if status.State == sdk.TaskGoneByOperator {
		j.gone[status.TaskID] = true
	}
	return nil
}

// Said notes what the history has no room for: it is said instead.
func (j *jobs) Said(e mind.Log) {
	if !strings.HasPrefix(e.Message, noRoom) {
		return
	}
	said := map[string]any{}
	for i := 0; i+1 < len(e.KV); i += 2 {
		said[fmt.Sprint(e.KV[i])] = e.KV[i+1]
	}
	name, _ := said["job"].(string)
	at, _ := said["slot"].(time.Time)
	last, _ := said["last"].(time.Time)
	j.unsaid[slot{name, at.UnixMilli()}] = true
	for period := j.periods[name]; period > 0 && at.Before(last); {
		at = at.Add(period)
		j.unsaid[slot{name, at.UnixMilli()}] = true
	}
	task, _ := said["task"].(sdk.TaskID)
	if a := j.attempts[task]; a != nil && a.verdict == "" {
		a.verdict = noLine
	}
}

// Started: an attempt starts after it was written down, and not when it was given up;
// a slot of a job without retries starts once, another only when it is known what became
// of the last attempt; a job that forbids it runs once at a time. On an agent that was given
// up an executor that stood still meanwhile may start what it was told before.
func (j *jobs) Started(task sdk.TaskID, running []sdk.TaskID) error {
	a := j.attempts[task]
	if a == nil {
		return fmt.Errorf("%s starts, of which there is no record", task)
	}
	if j.gone[task] {
		return nil
	}
	a.started = true
	if a.verdict == string(due.Never) {
		return fmt.Errorf("%s starts, which was said never to have been launched", task)
	}
	if a.run.Cause == book.BySlot {
		f := j.fate(a.run.slot())
		for _, id := range f.starts {
			if j.single[a.run.Job] || j.attempts[id].verdict == "" {
				return fmt.Errorf("the slot %v of %s is started again, as %s: %s is %q", a.run.Nominal, a.run.Job, task, id, j.attempts[id].verdict)
			}
		}
		f.starts = append(f.starts, task)
	}
	for _, id := range running {
		if o := j.attempts[id]; o != nil && id != task && o.run.Job == a.run.Job && j.forbids[a.run.Job] && o.verdict == "" && a.verdict == "" {
			return fmt.Errorf("%s starts, and %s goes on", task, id)
		}
	}
	return nil
}

// Life of an attempt.
func (j *jobs) Life(r *rand.Rand, _ sdk.TaskID, _ bool) time.Duration {
	return time.Duration(50+r.IntN(12000)) * time.Millisecond
}

// restMargin is how far back each slot must have its fate when all is well.
const restMargin = 5 * time.Minute

// Rest: no slot is missing, and what runs is written down.
func (j *jobs) Rest(now time.Time, m mind.Mind, running []sdk.TaskID) error {
	for name, period := range j.periods {
		if j.first[name].IsZero() {
			return fmt.Errorf("no slot of %s was ever decided", name)
		}
		for at := j.first[name]; at.Before(now.Add(-restMargin)); at = at.Add(period) {
			if f := j.slots[slot{name, at.UnixMilli()}]; (f == nil || f.final == "" && f.open == "") && !j.unsaid[slot{name, at.UnixMilli()}] {
				st, _ := m.(*book.Book).Job(name)
				return fmt.Errorf("the slot %v of %s is missing; handled up to %v, waits for %q", at, name, st.Handled, st.Waits)
			}
		}
	}
	for _, id := range running {
		if a := j.attempts[id]; a == nil || a.verdict != "" && a.verdict != noLine {
			return fmt.Errorf("%s runs although it has ended or was never written down", id)
		}
	}
	return nil
}
