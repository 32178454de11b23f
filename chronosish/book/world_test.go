package book

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// every is a schedule of the tests: R[n]/start/seconds.
type every struct {
	anchor time.Time
	period time.Duration
	n      int64
}

func (e *every) Next(after time.Time) (time.Time, int64, bool) {
	k := int64(0)
	if !after.Before(e.anchor) {
		k = int64(after.Sub(e.anchor)/e.period) + 1
	}
	return e.anchor.Add(time.Duration(k) * e.period), k, e.n < 0 || k < e.n
}

func parse(j *job.Job) (due.Schedule, error) {
	part := strings.Split(j.Schedule, "/")
	if len(part) != 3 {
		return nil, fmt.Errorf("the schedule %q is none", j.Schedule)
	}
	e := &every{n: -1, anchor: j.Created}
	_, _ = fmt.Sscan(part[0][1:], &e.n)
	if part[1] != "" {
		e.anchor, _ = time.Parse(time.RFC3339, part[1])
	}
	var s int
	_, err := fmt.Sscan(part[2], &s)
	e.period = time.Duration(s) * time.Second
	return e, err
}

// world is a store and a kernel as simple as they can be, and the book between them. It
// checks what the book does as it does it.
type world struct {
	fail      func(format string, args ...any)
	now       time.Time
	b         *Book
	opt       Options
	store     map[string]string
	limit     int // most bytes in the store; 0: no limit
	inputs    []mind.Input
	agents    []*machine
	open      bool
	refused   map[string]bool // agents whose offers were declined since the last revive
	offers    map[sdk.OfferID]*machine
	count     int
	tasks     map[sdk.TaskID]*task1
	started   map[sdk.TaskID]bool
	after     int // effects that are done before the book crashes; -1: it does not
	replies   map[uint64]mind.Reply[Outcome]
	txns      int
	index     map[string]runRecord  // the records of runs in the store, by key
	tasked    map[sdk.TaskID]string // their keys, of those with a task
	dropped   []Record              // lines of the history that have made room
	unwritten []Record              // lines for which there was none
	ever      map[string]bool       // keys of runs and of lines, and tasks of runs, that were in the store

	leader time.Duration // by how much the clock of the leading master is ahead
	lost   time.Duration // and by how much more that of the one that has found agents lost

	sized    bool                 // transactions have the bounds of the store
	launched func([]sdk.TaskInfo) // sees what is launched together; nil for none
}

type machine struct {
	name   string
	cpus   int64
	silent bool
	since  time.Time     // of its silence
	clock  time.Duration // by how much its clock is ahead
}

// task1 is what the kernel knows of one task.
type task1 struct {
	info    sdk.TaskInfo
	on      *machine
	state   sdk.TaskState
	killed  bool
	pending bool    // its last status is not acknowledged
	stamp   float64 // its agent's time of that
}

func newWorld(fail func(string, ...any)) *world {
	w := &world{
		fail: fail, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), store: map[string]string{}, index: map[string]runRecord{}, tasked: map[sdk.TaskID]string{}, ever: map[string]bool{}, refused: map[string]bool{}, replies: map[uint64]mind.Reply[Outcome]{},
		offers: map[sdk.OfferID]*machine{}, tasks: map[sdk.TaskID]*task1{}, started: map[sdk.TaskID]bool{}, opt: Options{Parse: parse},
		agents: []*machine{{name: "a1", cpus: 1000}, {name: "a2", cpus: 1000}},
	}
	w.boot()
	return w
}

// boot starts a book from what is in the store, and subscribes it.
func (w *world) boot() {
	var kvs []sdk.StoreKV
	for _, k := range slices.Sorted(maps.Keys(w.store)) {
		kvs = append(kvs, sdk.StoreKV{Key: k, Value: []byte(w.store[k])})
	}
	w.inputs, w.after, w.open = nil, -1, false
	clear(w.offers)
	b, err := Load(w.now, w.opt, kvs)
	if err != nil {
		w.fail("load: %v", err)
		return
	}
	w.b = b
	w.step(mind.Subscribed{})
	for _, id := range sortedKeys(w.tasks) {
		w.tell(w.tasks[id], true)
	}
}

func (w *world) step(in ...mind.Input) {
	for _, e := range slices.Clone(w.b.Step(w.now, in...)) {
		if w.after == 0 {
			w.boot()
			return
		}
		w.after = max(w.after-1, -1)
		w.perform(e)
	}
	w.verifyReads()
}

// verifyReads: nothing is shown that is not in the store, or was. (With many jobs it takes
// too long.)
func (w *world) verifyReads() {
	if len(w.b.jobs) > 10 {
		return
	}
	for _, st := range w.b.Jobs() {
		for _, r := range st.Runs {
			if !w.ever[st.Job.Name+"/"+r.ID] || r.TaskID != "" && !w.ever[string(r.TaskID)] {
				w.fail("a run is shown that is not in the store: %+v", r)
			}
		}
		for _, rec := range w.b.History(st.Job.Name, 3) {
			if !w.ever[historyKey(&rec)] {
				w.fail("a line of the history is shown that is not in the store: %+v", rec)
			}
		}
	}
}

// rest steps all that has come up, until nothing comes up any more.
func (w *world) rest() {
	for range 10000 {
		w.proffer()
		if len(w.inputs) == 0 {
			return
		}
		in := w.inputs[0]
		w.inputs = w.inputs[1:]
		w.step(in)
	}
	w.fail("it never comes to rest")
}

// advance lets time pass, from one thing that is due to the next.
func (w *world) advance(d time.Duration) {
	end := w.now.Add(d)
	for range 10000 {
		w.rest()
		at, ok := w.b.Due()
		if !ok || at.After(end) {
			break
		}
		if at.After(w.now) {
			w.now = at
		}
		w.step(mind.Tick{})
	}
	w.now = end
	w.step(mind.Tick{})
	w.rest()
}

func (w *world) proffer() {
	if !w.open {
		return
	}
	for _, m := range w.agents {
		busy := slices.ContainsFunc(slices.Collect(maps.Values(w.offers)), func(x *machine) bool { return x == m })
		if m.silent || busy || w.refused[m.name] || m.cpus < 100 {
			continue
		}
		w.count++
		id := sdk.OfferID(fmt.Sprint("o", w.count))
		w.offers[id] = m
		w.inputs = append(w.inputs, mind.Offers{Offers: []sdk.Offer{{ID: id, AgentID: sdk.AgentID(m.name), Hostname: m.name, Resources: []sdk.Resource{
			{Name: "cpus", Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: sdk.FromMillis(m.cpus)}},
		}}}})
	}
}

func (w *world) perform(e mind.Effect) {
	switch e := e.(type) {
	case mind.Commit:
		w.commit(e)
	case mind.Accept:
		m := w.offers[e.Offer]
		delete(w.offers, e.Offer)
		w.refused[m.name] = e.Refuse > 0
		if w.launched != nil {
			w.launched(e.Tasks)
		}
		for _, t := range e.Tasks {
			w.launch(m, t)
		}
	case mind.Decline:
		for _, id := range e.Offers {
			w.refused[w.offers[id].name] = e.Refuse > 0
			delete(w.offers, id)
		}
	case mind.Suppress:
		w.open = false
	case mind.Revive:
		w.open = true
		clear(w.refused)
	case mind.Kill:
		if t := w.tasks[e.Task]; t != nil && !due.Terminal(t.state) {
			if t.killed = true; !t.on.silent {
				w.end(e.Task, sdk.TaskKilled)
			}
		}
	case mind.Reconcile:
		for _, q := range e.Tasks {
			w.reconcile(q)
		}
	case mind.Acknowledge:
		w.acknowledged(e.Status)
	case mind.Log:
		if strings.HasPrefix(e.Message, "this is not written down") {
			w.unwritten = append(w.unwritten, Record{
				Job: e.KV[1].(string), Nominal: e.KV[3].(time.Time), Last: e.KV[5].(time.Time), Outcome: e.KV[7].(string), TaskID: e.KV[9].(sdk.TaskID),
			})
		}
	case mind.Reply[Outcome]:
		w.replies[e.ID] = e
	}
}

func (w *world) commit(c mind.Commit) {
	w.txns++
	if len(c.Writes) > w.b.opt.MaxWrites {
		w.fail("%d writes in one transaction", len(c.Writes))
	}
	next := w.store
	if w.limit > 0 {
		next = maps.Clone(w.store)
	}
	var dropped []Record
	size := 0
	for _, x := range c.Writes {
		if size += len(x.Key) + len(x.Value); w.sized && (len(x.Value) > 512<<10 || size > 1<<20) {
			w.fail("a value of %d bytes in a transaction of %d", len(x.Value), size)
		}
		if old, ok := w.store[x.Key]; ok && x.Type == sdk.StoreDelete && strings.HasPrefix(x.Key, keyHistory) {
			dropped = append(dropped, w.line(x.Key, old))
		}
		switch {
		case x.Type == sdk.StoreDeletePrefix:
			maps.DeleteFunc(next, func(k, _ string) bool { return strings.HasPrefix(k, x.Key) })
		case x.Type == sdk.StoreDelete:
			delete(next, x.Key)
		default:
			next[x.Key] = string(x.Value)
		}
	}
	if w.limit > 0 && bytes(next) > max(w.limit, bytes(w.store)) {
		w.inputs = append(w.inputs, mind.Refused{Txn: c.Txn, Err: sdk.Errorf(sdk.CodeExhausted, "space", "is full")})
		return
	}
	w.store, w.dropped = next, append(w.dropped, dropped...)
	w.reindex(c)
	w.inputs = append(w.inputs, mind.Persisted{Txn: c.Txn})
}

// reindex reads the records of runs that a transaction has written.
func (w *world) reindex(c mind.Commit) {
	for _, x := range c.Writes {
		if w.ever[x.Key] = true; !strings.HasPrefix(x.Key, keyRuns) {
			continue
		}
		delete(w.tasked, w.index[x.Key].Task)
		delete(w.index, x.Key)
		if x.Type != sdk.StorePut {
			continue
		}
		var r runRecord
		if json.Unmarshal(x.Value, &r) != nil {
			w.fail("the record %s cannot be read", x.Key)
		}
		w.index[x.Key], w.ever[r.Job+"/"+r.id()] = r, true
		if r.Task != "" {
			w.tasked[r.Task], w.ever[string(r.Task)] = x.Key, true
		}
	}
}

func bytes(m map[string]string) (n int) {
	for k, v := range m {
		n += len(k) + len(v)
	}
	return n
}

// launch starts a task, of which the store must know.
func (w *world) launch(m *machine, info sdk.TaskInfo) {
	if w.started[info.TaskID] {
		w.fail("the task %s is launched twice", info.TaskID)
	}
	if r := w.index[w.tasked[info.TaskID]]; r.Task != info.TaskID || r.Agent != info.AgentID {
		w.fail("the task %s is launched without a record", info.TaskID)
	}
	w.started[info.TaskID] = true
	m.cpus -= 100
	t := &task1{info: info, on: m, state: sdk.TaskRunning, pending: true, stamp: stamp(w.now.Add(m.clock))}
	w.tasks[info.TaskID] = t
	w.tell(t, false)
}

// end ends a task.
func (w *world) end(id sdk.TaskID, state sdk.TaskState) {
	t := w.tasks[id]
	t.state, t.pending, t.stamp = state, true, stamp(w.now.Add(t.on.clock))
	t.on.cpus += 100
	w.tell(t, false)
}

// tell sends the status of a task; what answers a reconciliation needs no acknowledgement.
func (w *world) tell(t *task1, answer bool) {
	st := sdk.TaskStatus{TaskID: t.info.TaskID, AgentID: sdk.AgentID(t.on.name), State: t.state, Timestamp: stamp(w.now.Add(w.leader))}
	switch {
	case t.on.silent:
		st.State, st.UnreachableTime = sdk.TaskUnreachable, w.unreachable(t.on)
	case !answer || t.pending:
		st.UUID, st.Timestamp = []byte(t.info.TaskID), t.stamp
	}
	w.inputs = append(w.inputs, mind.Update{Status: st})
}

func stamp(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }

// unreachable is since when an agent is silent, by the leading master's clock.
func (w *world) unreachable(m *machine) *sdk.TimeInfo {
	return &sdk.TimeInfo{Nanoseconds: m.since.Add(w.leader + w.lost).UnixNano()}
}

func (w *world) reconcile(q sdk.ReconcileTask) {
	t := w.tasks[q.TaskID]
	if t != nil {
		w.tell(t, true)
		return
	}
	for _, m := range w.agents {
		if m.name == string(q.AgentID) && m.silent {
			w.inputs = append(w.inputs, mind.Update{Status: sdk.TaskStatus{TaskID: q.TaskID, State: sdk.TaskUnreachable, UnreachableTime: w.unreachable(m), Timestamp: stamp(w.now.Add(w.leader))}})
			return
		}
	}
	w.inputs = append(w.inputs, mind.Update{Status: sdk.TaskStatus{TaskID: q.TaskID, AgentID: q.AgentID, State: sdk.TaskGone, Message: sdk.MessageNeverHad}})
}

// acknowledged forgets a task that has ended, of which no record may be left then.
func (w *world) acknowledged(st sdk.TaskStatus) {
	t := w.tasks[st.TaskID]
	if t == nil || t.state != st.State {
		return
	}
	t.pending = false
	if st.State == sdk.TaskRunning {
		if key := w.tasked[st.TaskID]; key != "" && w.index[key].Started.IsZero() {
			w.fail("that %s runs is acknowledged before it is stored", st.TaskID)
		}
	}
	if due.Terminal(st.State) {
		if w.tasked[st.TaskID] != "" {
			w.fail("the end of %s is acknowledged before it is stored", st.TaskID)
		}
		delete(w.tasks, st.TaskID)
	}
}

func (w *world) records() []runRecord { return slices.Collect(maps.Values(w.index)) }

// lines are those of the history, also those that have made room since.
func (w *world) lines() []Record {
	list := slices.Clone(w.dropped)
	for _, k := range slices.Sorted(maps.Keys(w.store)) {
		if strings.HasPrefix(k, keyHistory) {
			list = append(list, w.line(k, w.store[k]))
		}
	}
	return list
}

func (w *world) line(key, value string) (r Record) {
	if json.Unmarshal([]byte(value), &r) != nil {
		w.fail("the line %s cannot be read", key)
	}
	return r
}

// change asks for a change, and gives the answer if there is one at once.
func (w *world) change(c Change) mind.Reply[Outcome] {
	w.count++
	id := uint64(w.count)
	w.inputs = append(w.inputs, mind.Request[Change]{ID: id, Change: c})
	w.rest()
	return w.replies[id]
}
