package sdktest

import (
	"maps"
	"slices"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
)

// executor stands for an executor's process: the default one, or a framework's
// own, of which nothing is run either.
type executor struct {
	a         *agent
	container string
	info      *sdk.ExecutorInfo
	framework *sdk.FrameworkInfo
	builtin   bool // Proffer's own program
	conn      uint64
	unacked   []sdk.ExecutorUpdate
	tasks     []sdk.TaskInfo // launched, and no update acknowledged yet
	closing   bool
}

func (a *agent) startExecutor(e ledger.StartExecutor) {
	a.pids++
	x := &executor{a: a, container: e.ContainerID, info: e.Info, framework: e.Framework, builtin: e.Default}
	a.executors[e.ContainerID] = x
	a.feed(ledger.ExecutorStarted{ContainerID: e.ContainerID, Process: a.newProcess()})
	x.subscribe()
}

func (a *agent) newProcess() sdk.Process {
	a.pids++
	return sdk.Process{PID: 1000 + a.pids, StartTime: uint64(a.pids), BootID: "boot"}
}

// subscribe connects the executor to its agent, with what is unsettled.
func (x *executor) subscribe() {
	x.a.conns++
	x.conn = x.a.conns
	x.call(x.conn, &sdk.ExecutorCall{Type: sdk.ExecutorCallSubscribe, Subscribe: &sdk.ExecutorSubscribe{
		UnacknowledgedTasks: slices.Clone(x.tasks), UnacknowledgedUpdates: slices.Clone(x.unacked),
	}})
}

func (x *executor) call(conn uint64, call *sdk.ExecutorCall) {
	call.ExecutorID, call.FrameworkID = x.info.ExecutorID, x.framework.ID
	x.a.feed(ledger.FromExecutor{Conn: conn, Call: call})
}

// update sends a status, and keeps it until it is acknowledged.
func (x *executor) update(u sdk.ExecutorUpdate) {
	u.Status.UUID = x.a.newUUID()
	u.Status.Source = sdk.SourceExecutor
	u.Status.ExecutorID = x.info.ExecutorID
	if x.builtin && x.info.Type != sdk.ExecutorDefault {
		u.Status.ExecutorID = "" // frameworks do not know of it
	}
	u.Status.Timestamp = float64(x.a.k.now().UnixMicro()) / 1e6
	x.unacked = append(x.unacked, u)
	x.call(0, &sdk.ExecutorCall{Type: sdk.ExecutorCallUpdate, Update: &u})
}

func (x *executor) receive(e *sdk.ExecutorEvent) {
	switch e.Type {
	case sdk.ExecutorEventLaunch:
		x.launch(e.Launch.Task, e.Launch.Spec, "")
	case sdk.ExecutorEventLaunchGroup:
		for i, task := range e.LaunchGroup.TaskGroup.Tasks {
			var spec *sdk.LaunchSpec
			if i < len(e.LaunchGroup.Specs) {
				spec = &e.LaunchGroup.Specs[i]
			}
			x.launch(task, spec, e.LaunchGroup.TaskGroup.Tasks[0].TaskID)
		}
	case sdk.ExecutorEventKill:
		if p := x.process(e.Kill.TaskID); p != nil {
			p.kill(e.Kill.KillPolicy)
		}
	case sdk.ExecutorEventAcknowledged:
		x.acknowledged(e.Acknowledged)
	case sdk.ExecutorEventShutdown:
		x.closing = true
		for _, p := range x.processes() {
			p.kill(nil)
		}
		x.endIfIdle()
	}
}

func (x *executor) acknowledged(a *sdk.Acknowledged) {
	x.tasks = slices.DeleteFunc(x.tasks, func(t sdk.TaskInfo) bool { return t.TaskID == a.TaskID })
	x.unacked = slices.DeleteFunc(x.unacked, func(u sdk.ExecutorUpdate) bool { return string(u.Status.UUID) == string(a.UUID) })
	x.endIfIdle()
}

// endIfIdle ends an executor that was asked to, once it has nothing left.
func (x *executor) endIfIdle() {
	if x.closing && len(x.processes()) == 0 && len(x.unacked) == 0 {
		delete(x.a.executors, x.container)
		x.a.feed(ledger.ExecutorClosed{Conn: x.conn}, ledger.ExecutorExited{ContainerID: x.container})
	}
}

func (x *executor) processes() []*process {
	var list []*process
	for _, id := range sortedKeys(x.a.tasks) {
		if p := x.a.tasks[id]; p.framework == x.framework.ID && p.executor == x.info.ExecutorID {
			list = append(list, p)
		}
	}
	return list
}

func (x *executor) process(task sdk.TaskID) *process {
	for _, p := range x.processes() {
		if p.task.TaskID == task {
			return p
		}
	}
	return nil
}

func (a *agent) newUUID() []byte {
	a.conns++ // any number that is not used twice
	id := make([]byte, 16)
	id[0], id[1] = byte(a.number), byte(a.boots)
	for i := range 8 {
		id[15-i] = byte(a.conns >> (8 * i))
	}
	return id
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
