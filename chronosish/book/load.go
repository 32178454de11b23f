package book

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// Load makes a Book of what an earlier one has left in the store. Keys of others are
// passed over; a record that cannot be read is an error, which names its key: to go on
// without it might launch twice what it tells of.
func Load(now time.Time, opt Options, kvs []sdk.StoreKV) (*Book, error) {
	b := &Book{
		opt: opt.withDefaults(), now: now, jobs: map[string]*entry{}, children: map[string]map[string]bool{}, attempts: map[sdk.TaskID]*run{},
		dirty: map[string]bool{}, wanting: map[string]bool{},
		history: history{pending: map[string]*line{}},
	}
	b.outbox, b.session = newOutbox(b.opt), newSession(b.opt)
	states, files := map[string]stateRecord{}, filesOf(kvs)
	for _, kv := range kvs {
		if err := b.restore(kv, states, files); err != nil {
			return nil, fmt.Errorf("the store's key %s: %w", kv.Key, err)
		}
	}
	b.sortHistory()
	for name, e := range b.jobs {
		if s, ok := states[name]; ok && e.job != nil && s.Born == e.born {
			e.state = s
		}
		for _, r := range e.runs {
			if r.rec.Born != e.born {
				continue
			}
			if r.rec.Cause != BySlot {
				e.state.Made = max(e.state.Made, r.rec.Nominal.UnixMilli())
			} else if r.rec.Nominal.After(e.state.Handled) {
				e.state.Handled = r.rec.Nominal
			}
		}
		sortRuns(e.runs)
		if plantCronFromNow {
			e.state.Handled = b.now
		}
		if e.schedule != nil && !e.job.Disabled {
			next, _, ok := e.schedule.Next(e.handled())
			if e.ended = !ok; ok {
				e.next = next.UTC()
			}
		}
		b.touch(name)
	}
	return b, nil
}

func (b *Book) restore(kv sdk.StoreKV, states map[string]stateRecord, files map[string][]byte) error {
	switch {
	case strings.HasPrefix(kv.Key, keyJobs):
		var rec jobRecord
		if err := json.Unmarshal(kv.Value, &rec); err != nil {
			return err
		}
		room, err := rec.unfile(files)
		if err != nil {
			return err
		}
		j := job.Job(rec.Job)
		if j.Name == "" || keyJobs+j.Name != kv.Key {
			return fmt.Errorf("the job's name is %q", j.Name)
		}
		e := b.entry(j.Name)
		e.job, e.files, e.born, e.floor = &j, rec.Files, rec.Born, rec.Floor
		b.adopt(nil, e.job)
		b.weigh(e, len(kv.Key)+len(kv.Value)+lineOverhead+room)
		if j.Dependent() {
			return nil
		}
		s, err := b.opt.Parse(e.job)
		e.schedule = s
		return err
	case strings.HasPrefix(kv.Key, keyStates):
		var rec stateRecord
		if err := json.Unmarshal(kv.Value, &rec); err != nil {
			return err
		}
		states[strings.TrimPrefix(kv.Key, keyStates)] = rec
	case strings.HasPrefix(kv.Key, keyRuns):
		return b.restoreRun(kv)
	case strings.HasPrefix(kv.Key, keyHistory):
		return b.restoreLine(kv)
	case strings.HasPrefix(kv.Key, keyRoom): // nobody was answered
		b.post(&mind.Posting{Writes: []sdk.StoreOp{remove(kv.Key)}})
	}
	return nil
}

func (b *Book) restoreRun(kv sdk.StoreKV) error {
	r := &run{decided: true, known: true, loaded: true}
	if err := json.Unmarshal(kv.Value, &r.rec); err != nil {
		return err
	}
	x := &r.rec
	if plantRelaunch && x.Task != "" && x.Started.IsZero() {
		x.Task, x.Agent, x.Attempt = "", "", x.Attempt+1
	}
	if x.Job == "" || runKey(x) != kv.Key {
		return fmt.Errorf("the run is %s of the job %q", x.id(), x.Job)
	}
	if x.Task != "" {
		b.session.Watch(&r.watch, x.Task, x.Agent, false)
		r.launched, r.state, r.stopping = true, sdk.TaskStaging, x.Stop != due.NotStopped
		switch {
		case !x.Lost.IsZero():
			r.state, x.Lost = sdk.TaskUnreachable, b.now
		case !x.Started.IsZero():
			r.state = sdk.TaskRunning
		}
	}
	b.enrol(b.entry(x.Job), r)
	return nil
}
