package sdktest

import (
	"fmt"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/sdk"
)

// KillAgent ends a machine with everything that runs on it. Its tasks become
// unreachable when the agent time-out has passed (Advance), and are lost for good
// when StartAgent brings the machine back.
func (k *Kernel) KillAgent(name string) {
	k.withAgent(name, func(a *agent) {
		a.disconnected()
		a.mind, a.executors, a.tasks, a.inbox = nil, nil, nil, nil
	})
}

// StartAgent starts a machine that KillAgent ended, with its disk.
func (k *Kernel) StartAgent(name string) {
	k.withAgent(name, func(a *agent) {
		if a.mind == nil {
			a.boot()
		}
	})
}

// RestartAgent restarts the agent's process; its tasks run on meanwhile.
func (k *Kernel) RestartAgent(name string) {
	k.withAgent(name, func(a *agent) {
		a.disconnected()
		a.start()
	})
}

// PartitionAgent cuts an agent off from its master; its tasks run on.
func (k *Kernel) PartitionAgent(name string) {
	k.withAgent(name, func(a *agent) {
		a.cut = true
		a.disconnected()
	})
}

// HealAgent ends a partition.
func (k *Kernel) HealAgent(name string) {
	k.withAgent(name, func(a *agent) {
		a.cut = false
		a.connect()
	})
}

// KillExecutors ends the executor processes of an agent; a custom executor takes
// its tasks along.
func (k *Kernel) KillExecutors(name string) {
	k.withAgent(name, func(a *agent) {
		for _, id := range sortedKeys(a.executors) {
			x := a.executors[id]
			delete(a.executors, id)
			if !x.builtin {
				for _, p := range x.processes() {
					delete(a.tasks, p.key)
				}
			}
			a.feed(ledger.ExecutorClosed{Conn: x.conn}, ledger.ExecutorExited{ContainerID: id, Status: 9})
		}
	})
}

// LoseUpdates loses the next n status updates on their way from an agent to the
// master; the agent sends them again after ten seconds (Advance).
func (k *Kernel) LoseUpdates(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lose = n
}

// DropStreams breaks the event streams of all frameworks and operators, and the
// watches of the store, as a network does.
func (k *Kernel) DropStreams() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropStreams()
	k.pump()
}

func (k *Kernel) dropStreams() {
	for session, s := range k.streams {
		s.end()
		delete(k.streams, session)
		k.inputs = append(k.inputs, cluster.SchedulerClosed{Session: session})
	}
	for w := range k.watchers {
		w.end()
		delete(k.watchers, w)
	}
	for w := range k.watches {
		w.end()
		delete(k.watches, w)
	}
}

// LoseWrites lets the next n writes to the store be done, but answers each as if
// that was not known, as when a leader loses its office meanwhile.
func (k *Kernel) LoseWrites(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.loseWrites = n
}

// End ends a running task now, as the outcome says. It fails when no such task
// runs.
func (k *Kernel) End(task sdk.TaskID, o Outcome) error {
	return k.withTask(task, func(p *process) error {
		p.outcome, p.due = o, k.now()
		return nil
	})
}

// withTask does something about a running task.
func (k *Kernel) withTask(task sdk.TaskID, do func(*process) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range k.agents {
		for _, id := range sortedKeys(a.tasks) {
			if p := a.tasks[id]; p.task.TaskID == task {
				err := do(p)
				k.pump()
				return err
			}
		}
	}
	return sdk.Errorf(sdk.CodeNotFound, "task_id", "no task %s runs", task)
}

// Running are the tasks that run on all agents now, in no order that matters.
func (k *Kernel) Running() []sdk.TaskInfo {
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []sdk.TaskInfo
	for _, a := range k.agents {
		for _, id := range sortedKeys(a.tasks) {
			list = append(list, a.tasks[id].task)
		}
	}
	return list
}

func (k *Kernel) withAgent(name string, do func(*agent)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range k.agents {
		if a.name == name {
			do(a)
			k.pump()
			return
		}
	}
	panic(fmt.Sprintf("sdktest: there is no agent %q", name))
}
