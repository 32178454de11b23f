package sdktest

import (
	"fmt"
	"syscall"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// process is a task that runs, or seems to.
type process struct {
	a         *agent
	key       string // in agent.tasks
	framework sdk.FrameworkID
	executor  sdk.ExecutorID
	task      sdk.TaskInfo
	group     sdk.TaskID // the first task of its group, empty when it is alone
	outcome   Outcome
	due       time.Time // when it ends by itself; zero for never
	killed    bool
	health    *checkup
}

// killGrace is the time between SIGTERM and SIGKILL of a task that names none.
const killGrace = 5 * time.Second

// prepare makes a task's container, of which there is nothing here.
func (a *agent) prepare(e ledger.Prepare) {
	o := a.outcome(*e.Task)
	if o.Refuse != "" {
		a.feed(ledger.PrepareFailed{ContainerID: e.ContainerID, State: sdk.TaskFailed, Reason: sdk.ReasonContainerLaunchFailed, Message: o.Refuse})
		return
	}
	a.outcomes[e.ContainerID] = o
	a.feed(ledger.Prepared{ContainerID: e.ContainerID, Spec: &sdk.LaunchSpec{
		Version: sdk.LaunchVersion, ContainerID: e.ContainerID, FrameworkID: e.Framework.ID, ExecutorID: e.ExecutorID,
		TaskID: e.Task.TaskID, Path: "/bin/sh", Dir: "/", RuntimeDir: "/", LogDir: "/",
	}})
}

func (a *agent) outcome(task sdk.TaskInfo) Outcome {
	if a.k.opts.Run != nil {
		return a.k.opts.Run(task)
	}
	return Command(task)
}

// destroy ends whatever runs in a container.
func (a *agent) destroy(e ledger.Destroy) {
	if x := a.executors[e.ContainerID]; x != nil {
		delete(a.executors, e.ContainerID)
		if !x.builtin { // its tasks live inside of it
			for _, p := range x.processes() {
				delete(a.tasks, p.key)
			}
		}
	}
	delete(a.tasks, e.ContainerID)
	delete(a.outcomes, e.ContainerID)
	a.feed(ledger.Emptied{ContainerID: e.ContainerID})
}

// launch starts a task, at most once for a container.
func (x *executor) launch(task sdk.TaskInfo, spec *sdk.LaunchSpec, group sdk.TaskID) {
	key := string(x.framework.ID) + "/" + string(x.info.ExecutorID) + "/" + string(task.TaskID)
	if spec != nil {
		key = spec.ContainerID
	}
	if x.a.tasks[key] != nil {
		return
	}
	outcome, prepared := x.a.outcomes[key]
	if !prepared {
		outcome = x.a.outcome(task)
	}
	p := &process{
		a: x.a, key: key, framework: x.framework.ID, executor: x.info.ExecutorID,
		task: task, group: group, outcome: outcome,
		health: newCheckup(&task, &outcome, x.a.k.now()),
	}
	x.a.tasks[key] = p
	if !p.outcome.Endless {
		p.due = x.a.k.now().Add(p.outcome.After)
	}
	x.tasks = append(x.tasks, task)
	u := sdk.ExecutorUpdate{Status: sdk.TaskStatus{TaskID: task.TaskID, State: sdk.TaskRunning}}
	if spec != nil {
		born := x.a.newProcess()
		u.Process = &born
	}
	x.update(u)
}

// step ends the process when its time has come.
func (p *process) step(now time.Time) bool {
	if p.checked(now) {
		return true
	}
	if p.due.IsZero() || p.due.After(now) || p.host() == nil {
		return false // without an executor nobody could tell
	}
	p.end()
	return true
}

// host is the executor that runs the task, nil while it is away.
func (p *process) host() *executor {
	for _, id := range sortedKeys(p.a.executors) {
		if x := p.a.executors[id]; x.framework.ID == p.framework && x.info.ExecutorID == p.executor {
			return x
		}
	}
	return nil
}

// kill sends SIGTERM, and SIGKILL after the grace.
func (p *process) kill(policy *sdk.KillPolicy) {
	if p.killed {
		return
	}
	p.killed = true
	grace := killGrace
	for _, k := range []*sdk.KillPolicy{p.task.KillPolicy, policy} {
		if k != nil && k.GracePeriod != nil {
			grace = time.Duration(k.GracePeriod.Nanoseconds)
		}
	}
	x := p.host()
	for _, c := range x.framework.Capabilities {
		if c.Type == sdk.CapabilityTaskKillingState {
			s := sdk.TaskStatus{TaskID: p.task.TaskID, State: sdk.TaskKilling}
			p.health.describe(&s)
			x.update(sdk.ExecutorUpdate{Status: s})
		}
	}
	p.due = p.a.k.now()
	if p.outcome.Signal = "Terminated"; p.outcome.Deaf {
		p.outcome.Signal = "Killed"
		p.due = p.due.Add(grace)
	}
}

// end tells the end of the process.
func (p *process) end() {
	delete(p.a.tasks, p.key)
	o, x := p.outcome, p.host()
	status := sdk.TaskStatus{TaskID: p.task.TaskID, State: sdk.TaskFinished, Message: fmt.Sprintf("Command exited with status %d", o.Exit)}
	wait := int32(o.Exit << 8)
	if o.Exit != 0 {
		status.State = sdk.TaskFailed
	}
	if o.Signal != "" {
		status.State, status.Message = sdk.TaskFailed, "Command terminated with signal "+o.Signal
		wait = int32(signalNumber(o.Signal))
	}
	if p.killed {
		status.State = sdk.TaskKilled
	} else if o.State != "" {
		status.State = o.State
	}
	if o.Reason != "" && !p.killed {
		status.Reason = o.Reason
	}
	if o.Message != "" && !p.killed {
		status.Message = o.Message
	}
	if p.health.ended {
		p.health.describe(&status)
		status.Reason = sdk.ReasonTaskHealthCheckStatusUpdated
	}
	x.update(sdk.ExecutorUpdate{Status: status, WaitStatus: &wait})
	if p.group == "" || status.State == sdk.TaskFinished {
		return
	}
	for _, other := range x.processes() { // a group dies together
		if other.group == p.group {
			other.kill(nil)
		}
	}
}

func signalNumber(name string) syscall.Signal {
	switch name {
	case "Killed":
		return syscall.SIGKILL
	case "Segmentation fault":
		return syscall.SIGSEGV
	case "Aborted":
		return syscall.SIGABRT
	}
	return syscall.SIGTERM
}

// carryRecord takes a record through the codec, as a disk does.
func carryRecord(r *ledger.Record) *ledger.Record {
	data, err := wire.Marshal(wire.Msgpack, r)
	if err != nil {
		panic("sdktest: a record cannot be written: " + err.Error())
	}
	read := &ledger.Record{}
	if err := wire.Unmarshal(wire.Msgpack, data, read); err != nil {
		panic("sdktest: a record cannot be read: " + err.Error())
	}
	return read
}
