package ledger

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// world is everything around a ledger, slow and obvious: a disk that loses what
// was not synced, masters of which old ones go on talking, an executor that sends
// again what was not acknowledged, and a framework that writes down what it hears.
type world struct {
	t    *rapid.T
	l    *Ledger
	now  time.Time
	boot int

	disk   [][]byte // synced
	ready  Ready    // not synced
	stream uint64
	terms  map[uint64]uint64 // of streams
	top    uint64            // highest term whose leader registered the agent
	synced uint64            // the same, as far as it is on the disk: a crash forgets the rest, and nothing was done for it

	everTop   map[sdk.TaskID]uint64 // term by which a task was prepared
	prepared  map[sdk.TaskID]int
	container map[sdk.TaskID]string
	exec      string // container of the executor
	conn      uint64
	alive     bool // the executor's process

	has     map[sdk.TaskID][]sdk.TaskStatus // of the executor: not acknowledged, in order
	told    map[sdk.TaskID]bool             // LAUNCH came
	stored  map[string]sdk.TaskID           // update ids that the executor was told to be stored
	heard   map[sdk.TaskID][]string         // update ids as the framework first heard them
	ended   map[sdk.TaskID]sdk.TaskState
	waiting map[sdk.TaskID][]byte // the update that the framework may acknowledge
	uuid    uint64
}

func newWorld(t *rapid.T) *world {
	w := &world{t: t, now: time.Unix(1_700_000_000, 0), terms: map[uint64]uint64{}, everTop: map[sdk.TaskID]uint64{},
		prepared: map[sdk.TaskID]int{}, container: map[sdk.TaskID]string{}, has: map[sdk.TaskID][]sdk.TaskStatus{},
		told: map[sdk.TaskID]bool{}, stored: map[string]sdk.TaskID{}, heard: map[sdk.TaskID][]string{},
		ended: map[sdk.TaskID]sdk.TaskState{}, waiting: map[sdk.TaskID][]byte{}}
	w.start()
	return w
}

func (w *world) start() {
	w.boot++
	o := DefaultOptions()
	o.Seed = fmt.Sprintf("%016x", w.boot)
	w.l = New(o)
	for _, data := range w.disk {
		r := &Record{}
		if err := wire.Unmarshal(wire.Msgpack, data, r); err != nil {
			w.t.Fatal(err)
		}
		if err := w.l.Restore(r); err != nil {
			w.t.Fatalf("restore: %v", err)
		}
	}
	w.ready, w.conn, w.top = Ready{}, 0, w.synced
	w.step(Totals{Resources: sdk.Resources{sdk.NewScalar("cpus", 4)}})
	w.step(Recovered{BootID: "b", Alive: map[string]bool{w.exec: w.alive}})
}

func (w *world) step(in Input) {
	w.l.Step(w.now, in)
	r := w.l.Ready()
	w.ready.Records = append(w.ready.Records, r.Records...)
	w.ready.Effects = append(w.ready.Effects, r.Effects...)
}

// sync makes durable what waits, and performs the effects.
func (w *world) sync() {
	r := w.ready
	w.ready, w.synced = Ready{}, w.top
	for i := range r.Records {
		data, err := wire.Marshal(wire.Msgpack, &r.Records[i])
		if err != nil {
			w.t.Fatal(err)
		}
		w.disk = append(w.disk, data)
	}
	for _, e := range r.Effects {
		w.perform(e)
	}
}

func (w *world) perform(e Effect) {
	switch e := e.(type) {
	case StartExecutor:
		w.exec, w.alive, w.conn = e.ContainerID, true, 0
	case Prepare:
		id := e.Task.TaskID
		if w.prepared[id]++; w.prepared[id] > 1 {
			w.t.Fatalf("task %s is started a second time", id)
		}
		w.container[id] = e.ContainerID
		w.everTop[id] = w.top
	case SendExecutor:
		if e.Conn != w.conn {
			return
		}
		switch e.Event.Type {
		case sdk.ExecutorEventLaunch:
			w.told[e.Event.Launch.Task.TaskID] = true
		case sdk.ExecutorEventAcknowledged:
			a := e.Event.Acknowledged
			w.stored[string(a.UUID)] = a.TaskID
			if q := w.has[a.TaskID]; len(q) > 0 && string(q[0].UUID) == string(a.UUID) {
				w.has[a.TaskID] = q[1:]
			}
		}
	case SendMaster:
		if e.Stream == w.stream && e.Call.Type == link.CallUpdate {
			w.hear(e.Call.Update)
		}
	}
}

// hear is the framework: what comes again is known, what is new must be in order.
func (w *world) hear(u *link.Update) {
	s := &u.Status
	id := s.TaskID
	w.waiting[id] = s.UUID
	for _, known := range w.heard[id] {
		if known == string(s.UUID) {
			return
		}
	}
	if state, over := w.ended[id]; over && s.Reason != sdk.ReasonTaskInvalid {
		w.t.Fatalf("task %s: %s after its end as %s", id, s.State, state)
	}
	w.heard[id] = append(w.heard[id], string(s.UUID))
	if s.State.Terminal() && s.Reason != sdk.ReasonTaskInvalid {
		w.ended[id] = s.State
	}
}

func (w *world) update(id sdk.TaskID, state sdk.TaskState) {
	if n := len(w.has[id]); n > 0 && w.has[id][n-1].State.Terminal() || !w.told[id] {
		return
	}
	w.uuid++
	s := sdk.TaskStatus{TaskID: id, State: state, Source: sdk.SourceExecutor, UUID: fmt.Appendf(nil, "%016d", w.uuid)}
	w.has[id] = append(w.has[id], s)
	if state.Terminal() {
		w.told[id] = false
	}
	if w.conn != 0 {
		w.step(FromExecutor{Call: &sdk.ExecutorCall{Type: sdk.ExecutorCallUpdate, FrameworkID: "f", ExecutorID: "proffer-default-1", Update: &sdk.ExecutorUpdate{Status: s}}})
	}
}

func (w *world) subscribe() {
	if !w.alive || w.l.executor("f", "proffer-default-1") == nil {
		return
	}
	w.conn++
	s := &sdk.ExecutorSubscribe{}
	for _, id := range ids() {
		if w.told[id] {
			s.UnacknowledgedTasks = append(s.UnacknowledgedTasks, sdk.TaskInfo{TaskID: id})
		}
		for _, u := range w.has[id] {
			s.UnacknowledgedUpdates = append(s.UnacknowledgedUpdates, sdk.ExecutorUpdate{Status: u})
		}
	}
	w.step(FromExecutor{Conn: w.conn, Call: &sdk.ExecutorCall{Type: sdk.ExecutorCallSubscribe, FrameworkID: "f", ExecutorID: "proffer-default-1", Subscribe: s}})
}

func (w *world) connect(term uint64) {
	w.stream++
	w.terms[w.stream] = term
	w.step(Opened{Stream: w.stream})
	w.event(w.stream, link.Event{Type: link.EventRegistered, Registered: &link.Registered{AgentID: "a", HeartbeatSeconds: 1}})
}

// event comes from the leader of a stream, which may be deposed since.
func (w *world) event(stream uint64, e link.Event) {
	e.Version, e.Term = link.Version, w.terms[stream]
	before := len(w.l.tasks)
	w.step(FromMaster{Stream: stream, Event: &e})
	if w.terms[stream] < w.top && len(w.l.tasks) > before {
		w.t.Fatalf("a leader of term %d was obeyed after one of term %d", w.terms[stream], w.top)
	}
	if e.Type == link.EventRegistered && w.l.Registered() {
		if e.Term < w.top {
			w.t.Fatalf("registered with term %d after term %d", e.Term, w.top)
		}
		w.top = max(w.top, e.Term)
	}
}

func ids() []sdk.TaskID { return []sdk.TaskID{"t1", "t2", "t3", "t4"} }

// check is what must hold after every step.
func (w *world) check() {
	used := sdk.Resources(nil)
	for _, t := range w.l.sortedTasks() {
		if t.phase != ended && !t.refused {
			used = used.Add(sdk.Resources(t.info.Resources))
		}
	}
	if !used.Equal(w.l.used) {
		w.t.Fatalf("the books say %s is used, the tasks hold %s", w.l.used, used)
	}
	if !w.l.total.Contains(w.l.used) {
		w.t.Fatalf("%s is used of %s", w.l.used, w.l.total)
	}
}

// TestModel lets chance drive the world, then calm down: every update that an
// executor was told to be stored must have reached the framework.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.connect(1)
		task := rapid.SampledFrom(ids())
		for range rapid.IntRange(20, 80).Draw(t, "steps") {
			w.act(rapid.IntRange(0, 16).Draw(t, "act"), task.Draw(t, "task"))
			w.check()
		}
		w.calm()
	})
}

func (w *world) act(n int, id sdk.TaskID) {
	switch n {
	case 0, 1:
		w.event(w.stream, link.Event{Type: link.EventRun, Run: &link.Run{Framework: sdk.FrameworkInfo{ID: "f", Name: "f", User: "u"},
			Tasks: []sdk.TaskInfo{{TaskID: id, Name: "x", AgentID: "a", Resources: []sdk.Resource{sdk.NewScalar("cpus", 1.5)}}}}})
	case 2:
		w.step(Prepared{ContainerID: w.container[id], Spec: &sdk.LaunchSpec{}})
	case 3:
		w.subscribe()
	case 4:
		w.update(id, sdk.TaskRunning)
	case 5:
		w.update(id, sdk.TaskFinished)
	case 6:
		w.step(Emptied{ContainerID: w.container[id]})
	case 7:
		w.step(Emptied{ContainerID: w.exec})
	case 8, 9:
		w.ack(id)
	case 10:
		w.start() // a crash: what was not synced is gone
	case 11:
		w.connect(w.top + 1)
	case 12:
		w.connect(max(w.top, 1) - uint64(min(w.uuid%2, max(w.top, 1)-1)))
	case 13:
		w.now = w.now.Add(11 * time.Second)
		w.step(Tick{})
	case 14:
		w.step(ExecutorStarted{ContainerID: w.exec, Process: sdk.Process{PID: 1, BootID: "b"}})
	case 15:
		w.event(w.stream, link.Event{Type: link.EventKill, Kill: &link.Kill{FrameworkID: "f", TaskID: id}})
	case 16:
		w.compact()
	}
	if w.uuid%3 != 0 || n == 8 {
		w.sync()
	}
}

// compact replaces the disk by a snapshot, which must restore to a ledger that
// makes the same snapshot.
func (w *world) compact() {
	w.sync()
	w.disk = nil
	o := DefaultOptions()
	o.Seed = "0000000000000000"
	twin := New(o)
	first := w.l.Snapshot()
	for i := range first {
		data, err := wire.Marshal(wire.Msgpack, &first[i])
		if err != nil {
			w.t.Fatal(err)
		}
		w.disk = append(w.disk, data)
		r := &Record{}
		if err := wire.Unmarshal(wire.Msgpack, data, r); err != nil {
			w.t.Fatal(err)
		}
		if err := twin.Restore(r); err != nil {
			w.t.Fatalf("restore of a snapshot: %v", err)
		}
	}
	second := twin.Snapshot()
	if len(first) != len(second) {
		w.t.Fatalf("a snapshot of %d records restores to one of %d", len(first), len(second))
	}
	for i := range second {
		data, err := wire.Marshal(wire.Msgpack, &second[i])
		if err != nil {
			w.t.Fatal(err)
		}
		if !bytes.Equal(data, w.disk[i]) {
			w.t.Fatalf("record %d of a snapshot is another after a restore: %+v, %+v", i, first[i], second[i])
		}
	}
}

func (w *world) ack(id sdk.TaskID) {
	if uuid := w.waiting[id]; uuid != nil {
		w.event(w.stream, link.Event{Type: link.EventAcknowledge, Acknowledge: &link.Acknowledge{FrameworkID: "f", TaskID: id, UUID: uuid}})
	}
}

// calm lets everything come to rest.
func (w *world) calm() {
	w.start()
	w.sync()
	w.connect(w.top + 1)
	for range 12 {
		w.subscribe()
		w.sync()
		for _, id := range ids() {
			w.step(Emptied{ContainerID: w.container[id]})
			w.sync()
			w.ack(id)
			w.sync()
		}
		w.now = w.now.Add(time.Hour)
		w.step(Tick{})
		w.step(Emptied{ContainerID: w.exec})
		w.sync()
		w.check()
	}
	for uuid, id := range w.stored {
		found := false
		for _, h := range w.heard[id] {
			found = found || h == uuid
		}
		if !found && w.ended[id] == "" {
			w.t.Fatalf("update %s of task %s was acknowledged to the executor, and the framework never heard of it", uuid, id)
		}
	}
}
