package sim

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
)

// executor is one executor's process on a machine.
type executor struct {
	m         *machine
	container string
	framework sdk.FrameworkID
	id        sdk.ExecutorID
	def       bool
	alive     bool
	stopping  bool
	conn      uint64    // 0 while it has none
	still     time.Time // until then it was stopped, and does nothing
	tasks     []*work
	updates   int
}

// work is a task that an executor knows.
type work struct {
	info    sdk.TaskInfo
	process *process // nil inside of a custom executor
	waiting []sdk.ExecutorUpdate
	ended   bool
}

// process is a task's own process. It lives on without its executor.
type process struct {
	m         *machine
	container string
	framework sdk.FrameworkID
	executor  sdk.ExecutorID
	task      sdk.TaskInfo
	id        sdk.Process
	alive     bool
	child     bool // a process that it has started outlives it, until the container is emptied
	told      bool // its end is known
	seen      bool // the agent saw it end
	status    int32
}

// perform does one of the ledger's effects.
func (m *machine) perform(e ledger.Effect) {
	switch e := e.(type) {
	case ledger.SendMaster:
		if m.link != nil && m.link.number == e.Stream {
			m.link.post(e.Call)
		}
	case ledger.CloseLink:
		if m.link != nil && m.link.number == e.Stream {
			m.link.lose(e.Reason)
		}
	case ledger.StartExecutor:
		m.soon(10*time.Millisecond, 200*time.Millisecond, "starts executor "+e.ContainerID, func() { m.startExecutor(e) })
	case ledger.Prepare:
		m.soon(2*time.Millisecond, 40*time.Millisecond, "prepares "+string(e.Task.TaskID), func() {
			if !m.w.calm && m.w.rng.IntN(100) == 0 {
				m.step(ledger.PrepareFailed{ContainerID: e.ContainerID, Reason: sdk.ReasonContainerLaunchFailed, Message: "the disk is full"})
				return
			}
			m.step(ledger.Prepared{ContainerID: e.ContainerID, Spec: &sdk.LaunchSpec{
				Version: sdk.LaunchVersion, ContainerID: e.ContainerID, FrameworkID: e.Framework.ID, ExecutorID: e.ExecutorID, TaskID: e.Task.TaskID, Path: "/bin/true", Dir: "/", RuntimeDir: "/", LogDir: "/",
			}})
		})
	case ledger.Destroy:
		m.marked[e.ContainerID] = true // whoever is told late finds the marker
		m.soon(2*time.Millisecond, 60*time.Millisecond, "has emptied "+e.ContainerID, func() {
			m.step(ledger.Emptied{ContainerID: e.ContainerID, Exit: m.destroy(e.ContainerID)})
		})
	case ledger.SendExecutor:
		if x := m.conns[e.Conn]; x != nil {
			event, conn := clone(m.w, e.Event), e.Conn
			m.soon(time.Millisecond, time.Millisecond, "tells executor "+x.container+" "+string(event.Type), func() {
				x.awake(func() {
					if x.conn == conn {
						x.obey(event)
					}
				})
			})
		}
	case ledger.CloseExecutor:
		if x := m.conns[e.Conn]; x != nil {
			delete(m.conns, e.Conn)
			if x.conn == e.Conn {
				x.disconnected()
				x.connectSoon()
			}
		}
	case ledger.Retire:
		m.retire(e.Message)
	case ledger.Note:
		m.w.note("%s notes: %s (%s)", m.name, e.Message, e.Key)
	}
}

func (m *machine) startExecutor(e ledger.StartExecutor) {
	w := m.w
	if m.marked[e.ContainerID] {
		return // destroyed before it was started
	}
	m.marked[e.ContainerID] = true
	if !w.calm && w.rng.IntN(50) == 0 {
		m.step(ledger.ExecutorExited{ContainerID: e.ContainerID, Status: -1, Message: "it could not be started"})
		return
	}
	m.pids++
	x := &executor{m: m, container: e.ContainerID, framework: e.Framework.ID, id: e.Info.ExecutorID, def: e.Default, alive: true}
	m.executors[e.ContainerID] = x
	if e.Adopts {
		x.adopt()
	}
	m.step(ledger.ExecutorStarted{ContainerID: e.ContainerID, Process: sdk.Process{PID: m.pids, StartTime: uint64(m.pids), BootID: fmt.Sprint("boot", m.boot)}})
	x.connectSoon()
	if !x.def {
		x.idle()
	}
}

// idle has a framework's own executor exit when it has had nothing to do for a
// while; the agent's own waits for the agent to say so.
func (x *executor) idle() {
	x.later(20*time.Second, 60*time.Second, "looks whether it has anything to do", func() {
		for _, t := range x.tasks {
			if !t.ended || len(t.waiting) > 0 {
				x.idle()
				return
			}
		}
		x.exit(0)
	})
}

// adopt takes over the processes of a predecessor, and what their exit records say.
func (x *executor) adopt() {
	for _, id := range sortedKeys(x.m.processes) {
		p := x.m.processes[id]
		if p.framework != x.framework || p.executor != x.id || x.m.orphanOf(p) {
			continue
		}
		t := &work{info: p.task, process: p}
		x.tasks = append(x.tasks, t)
		x.report(t, sdk.TaskRunning, "")
		if !p.alive {
			x.ended(t)
		}
	}
}

// orphanOf tells whether a living executor has the process already.
func (m *machine) orphanOf(p *process) bool {
	for _, x := range m.executors {
		if !x.alive {
			continue
		}
		for _, t := range x.tasks {
			if t.process == p {
				return true
			}
		}
	}
	return false
}

// later does something in this life of the executor.
func (x *executor) later(low, high time.Duration, what string, do func()) {
	x.m.w.after(x.m.w.between(low, high), x.m.name+" executor "+x.container+" "+what, func() { x.awake(do) })
}

func (x *executor) connectSoon() {
	x.later(5*time.Millisecond, 500*time.Millisecond, "connects", func() {
		m := x.m
		if !m.up || x.conn != 0 {
			return
		}
		m.conn++
		x.conn = m.conn
		m.conns[x.conn] = x
		sub := &sdk.ExecutorSubscribe{}
		for _, t := range x.tasks {
			if !t.ended || len(t.waiting) > 0 {
				sub.UnacknowledgedTasks = append(sub.UnacknowledgedTasks, t.info)
			}
			sub.UnacknowledgedUpdates = append(sub.UnacknowledgedUpdates, t.waiting...)
		}
		x.call(&sdk.ExecutorCall{Type: sdk.ExecutorCallSubscribe, Subscribe: sub}, x.conn)
	})
}

// call brings a call to the agent; the unix socket loses nothing while both live.
func (x *executor) call(c *sdk.ExecutorCall, conn uint64) {
	c.FrameworkID, c.ExecutorID = x.framework, x.id
	x.m.step(ledger.FromExecutor{Conn: conn, Call: clone(x.m.w, c)})
}

// disconnected is the end of the connection, when the agent died or closed it.
func (x *executor) disconnected() { x.conn = 0 }

// obey does what the agent says.
func (x *executor) obey(e *sdk.ExecutorEvent) {
	switch e.Type {
	case sdk.ExecutorEventLaunch:
		x.launch(e.Launch.Task, e.Launch.Spec)
	case sdk.ExecutorEventLaunchGroup:
		for i, t := range e.LaunchGroup.TaskGroup.Tasks {
			var spec *sdk.LaunchSpec
			if i < len(e.LaunchGroup.Specs) {
				spec = &e.LaunchGroup.Specs[i]
			}
			x.launch(t, spec)
		}
	case sdk.ExecutorEventKill:
		if t := x.find(e.Kill.TaskID); t != nil {
			x.later(0, 3*time.Second, "has killed "+string(t.info.TaskID), func() { x.end(t, sdk.TaskKilled) })
		}
	case sdk.ExecutorEventAcknowledged:
		if t := x.find(e.Acknowledged.TaskID); t != nil {
			for i := range t.waiting {
				if string(t.waiting[i].Status.UUID) == string(e.Acknowledged.UUID) {
					t.waiting = append(t.waiting[:i:i], t.waiting[i+1:]...)
					break
				}
			}
			if t.ended && len(t.waiting) == 0 && t.process != nil {
				if t.process.told = true; !t.process.child {
					delete(x.m.processes, t.process.container)
				}
			}
		}
	case sdk.ExecutorEventShutdown:
		x.stopping = true
		for _, t := range x.tasks {
			x.end(t, sdk.TaskKilled)
		}
		x.later(10*time.Millisecond, 2*time.Second, "exits", func() { x.exit(0) })
	}
}

func (x *executor) find(id sdk.TaskID) *work {
	for i := len(x.tasks) - 1; i >= 0; i-- {
		if x.tasks[i].info.TaskID == id {
			return x.tasks[i]
		}
	}
	return nil
}

// launch starts a task at most once: the marker of its container is made before.
func (x *executor) launch(info sdk.TaskInfo, spec *sdk.LaunchSpec) {
	m, w := x.m, x.m.w
	if x.find(info.TaskID) != nil || x.stopping {
		return
	}
	t := &work{info: info}
	if spec != nil {
		if m.marked[spec.ContainerID] {
			return
		}
		m.marked[spec.ContainerID] = true
		m.pids++
		t.process = &process{m: m, container: spec.ContainerID, framework: x.framework, executor: x.id, task: info, alive: true, child: w.chance(30),
			id: sdk.Process{PID: m.pids, StartTime: uint64(m.pids), BootID: fmt.Sprint("boot", m.boot)}}
		m.processes[spec.ContainerID] = t.process
		p := t.process
		if d := w.lifetime(x.framework, info.TaskID); d > 0 {
			w.after(d, m.name+" process of "+string(info.TaskID)+" ends", func() { p.end(int32(w.rng.IntN(3)) << 8) })
		}
	} else {
		d := w.lifetime(x.framework, info.TaskID)
		x.later(d, d, "finishes "+string(info.TaskID), func() { x.end(t, sdk.TaskFinished) })
	}
	x.tasks = append(x.tasks, t)
	w.truth.started(w, x.framework, info.TaskID)
	x.report(t, sdk.TaskRunning, "")
}

// lifetime is how long a task runs by itself; 0: until it is killed.
func (w *world) lifetime(f sdk.FrameworkID, id sdk.TaskID) time.Duration {
	if p := w.programOf(f); p != nil {
		return p.f.Life(w.rng, id, w.calm)
	}
	if w.chance(10) {
		return w.between(time.Millisecond, 50*time.Millisecond)
	}
	return w.between(time.Second, 90*time.Second)
}

// end ends a task that still runs.
func (x *executor) end(t *work, state sdk.TaskState) {
	if t.ended {
		return
	}
	t.ended = true
	if t.process != nil {
		t.process.alive = false
	}
	x.report(t, state, "")
}

// report tells the agent of a task, and again until that has it.
func (x *executor) report(t *work, state sdk.TaskState, message string) {
	x.updates++
	u := sdk.ExecutorUpdate{Status: sdk.TaskStatus{
		TaskID: t.info.TaskID, State: state, Message: message, Source: sdk.SourceExecutor, ExecutorID: x.id,
		UUID: uuid(x.container, x.updates), Timestamp: float64(x.m.w.now.Unix()),
	}}
	if t.process != nil {
		u.Process = &t.process.id
	}
	t.waiting = append(t.waiting, u)
	if x.conn != 0 && x.m.up {
		x.call(&sdk.ExecutorCall{Type: sdk.ExecutorCallUpdate, Update: &u}, 0)
	}
}
