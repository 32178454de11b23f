package sim

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/kernel/agent/checkpoint"
	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// machine is one computer: a disk, processes, and the agent, which comes and goes.
type machine struct {
	w     *world
	name  string
	total sdk.Resources
	disk  *disk
	boot  int
	exits bool // the system tells others than a parent how a process ended
	clock clock

	// Of the agent's process.
	up      bool
	life    int // counts the agent's processes, so that what one began does not reach the next
	l       *ledger.Ledger
	log     *checkpoint.Log
	pending ledger.Ready
	syncing bool
	grown   int // records since the last compaction
	link    *agentLink
	streams uint64
	conns   map[uint64]*executor
	conn    uint64

	retiring bool // it was told that it is not wanted

	obeys link.Fence // whose word it has taken, perhaps not durable yet

	// Of the machine; it survives the agent.
	obeyed    link.Fence           // the newest leader that it has obeyed, for ever
	told      sdk.AgentID          // who it is by the last REGISTERED, which may be lost with a process
	executors map[string]*executor // by container
	processes map[string]*process  // by container; those inside of custom executors have none
	marked    map[string]bool      // launch markers of containers
	pids      int32
}

func newMachine(w *world, i int) *machine {
	m := &machine{w: w, name: fmt.Sprintf("agent %d", i), disk: newDisk(), exits: w.chance(50)}
	m.total = sdk.Resources{
		sdk.NewScalar("cpus", float64(2+w.rng.IntN(7))),
		sdk.NewScalar("mem", float64(256*(2+w.rng.IntN(7)))),
		sdk.NewScalar("disk", 10000),
		sdk.NewRanges("ports", sdk.Range{Begin: 31000, End: 31099}),
	}
	m.reboot()
	w.after(w.between(0, time.Second), m.name+" boots", m.startAgent)
	return m
}

// reboot loses every process and what was not synced.
func (m *machine) reboot() {
	m.boot++
	for _, id := range sortedKeys(m.executors) {
		m.executors[id].alive = false
	}
	for _, id := range sortedKeys(m.processes) {
		m.processes[id].alive, m.processes[id].child = false, false
	}
	m.executors, m.processes, m.marked = map[string]*executor{}, map[string]*process{}, map[string]bool{}
}

// crash kills the agent's process. power says that the disk loses what was not
// synced; without it the operating system still writes that.
func (m *machine) crash() {
	if !m.up {
		return
	}
	m.up = false
	m.life++
	if m.link != nil {
		m.link.abandon()
		m.link = nil
	}
	if len(m.pending.Records) > 0 && m.w.chance(50) {
		// In the middle of the write: the bytes are there, the sync never came.
		m.disk.cut = true
		if err := m.append(m.pending.Records); err == nil {
			m.w.fail("%s: a write without a sync was called durable", m.name)
		}
	}
	m.pending, m.syncing, m.obeys, m.retiring = ledger.Ready{}, false, link.Fence{}, false
	m.disk.crash(m.w.rng)
	for _, id := range sortedKeys(m.conns) {
		m.conns[id].disconnected()
	}
	m.conns = nil
}

// startAgent is a new process of the agent, which reads its checkpoint.
func (m *machine) startAgent() {
	if m.up {
		return
	}
	m.up, m.conns, m.clock = true, map[uint64]*executor{}, m.w.newClock()
	log, found, err := checkpoint.Open(checkpoint.Options{Dir: "/c", Name: "ledger", FS: m.disk})
	if err != nil {
		m.w.fail("%s: its checkpoint: %v", m.name, err)
		return
	}
	m.log, m.grown = log, 0
	o := ledger.DefaultOptions()
	o.Seed = fmt.Sprintf("%08x%08x", m.w.rng.Uint32(), m.w.rng.Uint32())
	o.Agent = sdk.AgentInfo{Hostname: m.name, Port: 5051}
	m.l = ledger.New(o)
	for i := range found.Records {
		r := &ledger.Record{}
		if err := wire.Unmarshal(wire.Msgpack, found.Records[i].Data, r); err != nil {
			m.w.fail("%s: record %d of its checkpoint: %v", m.name, i, err)
			return
		}
		if err := m.l.Restore(r); err != nil {
			m.w.fail("%s: record %d of its checkpoint does not fit: %v", m.name, i, err)
			return
		}
		m.w.truth.stored(m, r) // what a crash has left of a write without a sync counts, too
	}
	alive := map[string]bool{}
	for id, x := range m.executors {
		if x.alive {
			alive[id] = true
		}
	}
	m.step(ledger.Totals{Resources: m.total})
	m.step(ledger.Recovered{BootID: fmt.Sprint("boot", m.boot), Alive: alive})
	m.sweep()
	for _, id := range sortedKeys(m.executors) {
		if x := m.executors[id]; x.alive {
			x.connectSoon()
		}
	}
	m.every(time.Second, "ticks", func() { m.step(ledger.Tick{}) })
	m.connectSoon(0)
}

// sweep ends what the books do not know: it was started by a life of the agent
// that could not write it down.
func (m *machine) sweep() {
	known := map[string]bool{}
	for _, c := range m.l.Containers() {
		known[c.ID] = true
	}
	for _, id := range sortedKeys(m.executors) {
		if x := m.executors[id]; x.alive && !known[id] {
			m.w.note("%s sweeps executor %s", m.name, id)
			x.kill()
		}
	}
	for _, id := range sortedKeys(m.processes) {
		if p := m.processes[id]; (p.alive || p.child) && !known[id] {
			m.w.note("%s sweeps the process of task %s", m.name, p.task.TaskID)
			p.alive, p.child = false, false
		}
	}
}

// every does something again and again in this life of the agent.
func (m *machine) every(d time.Duration, what string, do func()) {
	life := m.life
	m.w.after(d, m.name+" "+what, func() {
		if m.up && m.life == life {
			do()
			m.every(d, what, do)
		}
	})
}

// soon does something later in this life of the agent.
func (m *machine) soon(low, high time.Duration, what string, do func()) {
	life := m.life
	m.w.after(m.w.between(low, high), m.name+" "+what, func() {
		if m.up && m.life == life {
			do()
		}
	})
}

// step gives the ledger a fact. What comes of it is stored by the next group
// commit, and done after it.
func (m *machine) step(in ledger.Input) {
	if !m.up {
		return
	}
	m.l.Step(m.clock.now(), in)
	r := m.l.Ready()
	m.pending.Records = append(m.pending.Records, r.Records...)
	m.pending.Effects = append(m.pending.Effects, r.Effects...)
	if used := m.l.Counts().Used; !m.total.Contains(used) {
		m.w.fail("%s has %s and uses %s", m.name, m.total, used)
	}
	if !m.syncing && len(m.pending.Records)+len(m.pending.Effects) > 0 {
		m.syncing = true
		m.soon(0, 15*time.Millisecond, "syncs", m.sync)
	}
}

// compactAfter is after how many records the checkpoint is written anew. Few of them:
// each start of the agent reads all.
const compactAfter = 150

// sync makes durable what waits, and then does what waits for that.
func (m *machine) sync() {
	if m.begins() && !m.w.calm && m.w.rng.IntN(200) == 0 {
		m.interrupt() // tasks run of which nobody knows
		return
	}
	ready := m.pending
	if m.obeys.Compare(m.obeyed) > 0 {
		m.obeyed = m.obeys
	}
	m.pending, m.syncing = ledger.Ready{}, false
	if err := m.append(ready.Records); err != nil {
		m.w.fail("%s: %v", m.name, err)
		return
	}
	for i := range ready.Records {
		m.w.truth.stored(m, &ready.Records[i])
	}
	if m.grown > compactAfter { // here all that the ledger says is stored
		m.grown = 0
		if err := m.log.Compact(m.encode(m.l.Snapshot())); err != nil {
			m.w.fail("%s: %v", m.name, err)
		}
	}
	life := m.life
	for _, e := range ready.Effects {
		if !m.up || m.life != life {
			return
		}
		odds := 4000 // between any two things that it does, and before it tells something above all
		if send, ok := e.(ledger.SendMaster); ok && send.Call.Type == link.CallUpdate {
			odds = 300
		}
		if !m.w.calm && m.w.rng.IntN(odds) == 0 {
			m.interrupt()
			return
		}
		m.perform(e)
	}
}

// begins tells whether the start of a task is to be written down.
func (m *machine) begins() bool {
	for i := range m.pending.Records {
		if u := m.pending.Records[i].Update; u != nil && u.Status.State == sdk.TaskRunning {
			return true
		}
	}
	return false
}

// interrupt kills the agent, or the machine with it, for a while.
func (m *machine) interrupt() {
	m.w.result.Faults++
	if m.crash(); m.w.chance(40) {
		m.reboot()
	}
	m.w.after(m.w.between(200*time.Millisecond, 14*time.Second), m.name+" starts again", m.startAgent)
}

func (m *machine) append(records []ledger.Record) error {
	m.grown += len(records)
	return m.log.Append(m.encode(records)...)
}

func (m *machine) encode(records []ledger.Record) []checkpoint.Record {
	out := make([]checkpoint.Record, len(records))
	for i := range records {
		data, err := wire.Marshal(wire.Msgpack, &records[i])
		if err != nil {
			m.w.fail("%s: a record can not be written: %v", m.name, err)
		}
		out[i] = checkpoint.Record{Type: 1, Version: ledger.RecordVersion, Data: data}
	}
	return out
}
