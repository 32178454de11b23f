package sim

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
)

// What follows is how processes end, by themselves or killed by somebody who is no part
// of the cluster, and who sees it. As a rule an executor tells of its tasks, and the
// launcher of executors; the agent watches them all for when nobody does.

// lookers are troubles with processes.
func lookers() []fault {
	return []fault{
		{"an executor stands still", 25, func(w *world) {
			if x := w.someExecutor(); x != nil {
				d := w.between(time.Second, 60*time.Second)
				if w.chance(20) {
					d = w.between(time.Minute, 5*time.Minute)
				}
				w.note("executor %s on %s is stopped for %v", x.container, x.m.name, d)
				x.still = w.now.Add(d)
			}
		}},
		{"a task's process is killed by a stranger", 40, func(w *world) {
			m := w.machines[w.rng.IntN(len(w.machines))]
			var living []*process
			for _, id := range sortedKeys(m.processes) {
				if p := m.processes[id]; p.alive {
					living = append(living, p)
				}
			}
			if len(living) > 0 {
				living[w.rng.IntN(len(living))].end(9)
			}
		}},
	}
}

// someExecutor is one that lives, on some machine; nil when none does there.
func (w *world) someExecutor() *executor {
	m := w.machines[w.rng.IntN(len(w.machines))]
	var living []*executor
	for _, id := range sortedKeys(m.executors) {
		if m.executors[id].alive {
			living = append(living, m.executors[id])
		}
	}
	if len(living) == 0 {
		return nil
	}
	return living[w.rng.IntN(len(living))]
}

// awake does something as soon as the executor's process runs, in its order.
func (x *executor) awake(do func()) {
	switch {
	case !x.alive:
	case x.still.After(x.m.w.now):
		x.m.w.queue.add(x.still, x.m.name+" executor "+x.container+" goes on", func() { x.awake(do) })
	default:
		do()
	}
}

// end is the end of a task's process, by itself or by a stranger.
func (p *process) end(status int32) {
	if !p.alive {
		return
	}
	p.alive, p.status = false, status
	p.m.watch(p)
	for _, id := range sortedKeys(p.m.executors) {
		x := p.m.executors[id]
		for _, t := range x.tasks {
			if x.alive && t.process == p {
				x.awake(func() {
					if !t.ended {
						x.ended(t)
					}
				})
				return
			}
		}
	}
}

// ended tells how a process ended.
func (x *executor) ended(t *work) {
	status := t.process.status
	state, message := sdk.TaskFinished, "Command exited with status 0"
	switch {
	case status&0x7f != 0:
		state, message = sdk.TaskFailed, fmt.Sprintf("Command terminated with signal %d", status&0x7f)
	case status != 0:
		state, message = sdk.TaskFailed, fmt.Sprintf("Command exited with status %d", status>>8)
	}
	t.ended = true
	x.report(t, state, message)
}

const (
	// unsaidAfter is how long an executor may take to tell of an end that the agent saw.
	unsaidAfter = 5 * time.Second
	// knownAfter is when an agent must know the end of what it watched: unsaidAfter, half a
	// minute in which it waits for the executor's word, the time to empty a container, and
	// what clocks differ.
	knownAfter = 40 * time.Second
)

// watch is the agent's own eye on a process that has ended, if it was told of it.
func (m *machine) watch(p *process) {
	if !m.up || m.container(p.container) == nil {
		return
	}
	p.seen = true
	m.soon(unsaidAfter, unsaidAfter+100*time.Millisecond, "has not heard how "+string(p.task.TaskID)+" ended", func() {
		m.step(ledger.Vanished{ContainerID: p.container})
	})
	m.soon(knownAfter, knownAfter, "must know the end of "+string(p.task.TaskID), func() {
		if m.container(p.container) != nil {
			m.w.fail("%s believes that task %s runs, whose process it saw end %v ago", m.name, p.task.TaskID, knownAfter)
		}
	})
}

// container is one that the agent knows with its process.
func (m *machine) container(id string) *ledger.Container {
	for _, c := range m.l.Containers() {
		if c.ID == id && c.Process != nil {
			return &c
		}
	}
	return nil
}

// destroy ends whatever runs in a container. It gives the status of a process whose end
// the agent saw, where the system tells that to others than parents.
func (m *machine) destroy(container string) (exit *int32) {
	if x := m.executors[container]; x != nil && x.alive {
		x.kill()
	}
	p := m.processes[container]
	if p == nil {
		return nil
	}
	if p.alive {
		p.status, p.seen = 9, true
	}
	if p.alive || p.child {
		p.alive, p.child = false, false
		if p.told {
			delete(m.processes, container)
		}
		m.w.note("%s killed the process of %s", m.name, p.task.TaskID)
	}
	if p.seen && m.exits {
		exit = &p.status
	}
	return exit
}

// kill ends the executor's process; tasks inside of it end with it.
func (x *executor) kill() { x.exit(9) }

// exit is the end of an executor's process. The launcher tells how, if it lives; that it
// has ended the agent sees, too.
func (x *executor) exit(status int32) {
	if !x.alive {
		return
	}
	x.alive = false
	m, conn := x.m, x.conn
	x.conn = 0
	if !m.up {
		return
	}
	if conn != 0 && m.conns[conn] == x {
		delete(m.conns, conn)
		m.step(ledger.ExecutorClosed{Conn: conn})
	}
	if !m.w.chance(20) {
		m.soon(time.Millisecond, 20*time.Millisecond, "learns the end of executor "+x.container, func() {
			m.step(ledger.ExecutorExited{ContainerID: x.container, Status: status})
		})
	}
	m.soon(time.Second, time.Second, "sees the end of executor "+x.container, func() {
		m.step(ledger.ExecutorExited{ContainerID: x.container, Status: -1})
	})
}
