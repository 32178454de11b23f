package ledger

import (
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// giveUpAfter is how many starts in a row of a default executor may fail before
// the tasks that wait for it are told so.
const giveUpAfter = 3

func (l *Ledger) never() time.Time { return time.Time{} }

// start has the executor's process made.
func (l *Ledger) start(x *executor, adopts bool) {
	x.phase, x.retryAt = starting, l.never()
	x.deadline, x.late = l.now.Add(l.o.RegisterTimeout), sdk.ReasonExecutorRegistrationTimeout
	l.do(StartExecutor{ContainerID: x.container, Framework: x.fw.info, Info: x.info, Default: x.def, Adopts: adopts, AllowedUsers: x.users})
}

func (l *Ledger) executorStarted(in ExecutorStarted) {
	x := l.executorAt[in.ContainerID]
	if x == nil || x.phase != starting {
		return
	}
	l.commit(Record{Process: &ProcessRecord{ContainerID: in.ContainerID, Process: in.Process}})
	x.phase = running
}

func (l *Ledger) executorExited(in ExecutorExited) {
	if x := l.executorAt[in.ContainerID]; x != nil {
		l.leave(x, in)
	}
}

func (l *Ledger) executorClosed(in ExecutorClosed) {
	x := l.conns[in.Conn]
	if x == nil {
		return
	}
	delete(l.conns, in.Conn)
	x.conn = 0
	if x.phase == running && !x.closing {
		x.deadline, x.late = l.now.Add(l.o.RegisterTimeout), sdk.ReasonExecutorReregistrationTimeout
	}
}

// parents keeps the executors of a dead launcher from getting new tasks.
func (l *Ledger) parents(in Parents) {
	for _, f := range l.sortedFrameworks() {
		for _, x := range f.executors {
			if x.process != nil && !in.Children[x.container] {
				x.retired = true
			}
		}
	}
}

// leave empties an executor's container, by force when its process still lives.
func (l *Ledger) leave(x *executor, why ExecutorExited) {
	if x.phase == leaving {
		if x.exit.Status == -1 && why.Status != -1 {
			x.exit.Status = why.Status // the process's own end came after the order
		}
		return
	}
	x.phase, x.exit = leaving, &why
	if x.conn != 0 {
		l.do(CloseExecutor{Conn: x.conn})
		delete(l.conns, x.conn)
		x.conn = 0
	}
	l.do(Destroy{ContainerID: x.container, Executor: true})
}

// executorEmptied decides what follows the end of an executor.
func (l *Ledger) executorEmptied(x *executor, limit *Limit) {
	if !x.def {
		l.endCustom(x, limit)
		return
	}
	never := x.process == nil
	if x.failures++; x.failures >= giveUpAfter {
		for _, t := range sorted(x.tasks) {
			if t.phase < sent || t.phase == sent && t.last == nil {
				l.end(t, l.lostExecutor(x, t))
			}
		}
	}
	if len(x.tasks) == 0 {
		l.removeExecutor(x)
		return
	}
	if x.closing {
		for _, t := range sorted(x.tasks) {
			l.end(t, sdk.TaskStatus{State: sdk.TaskKilled, Message: "Killed with its executor"})
		}
		if len(x.tasks) == 0 {
			l.removeExecutor(x)
		} else {
			// Removed by tick when its tasks are empty; its own process is gone.
			x.retryAt, x.phase, x.process = l.never(), starting, nil
		}
		return
	}
	// Its tasks live on, or wait: a successor takes them over. The first comes at
	// once, further ones after a pause.
	pause := time.Duration(0)
	if x.failures > 1 {
		pause = min(l.o.RestartPause<<min(x.failures-2, 10), 30*time.Second)
	}
	rec := ExecutorRecord{Info: *x.info, ContainerID: l.newContainer(), Default: true, AllowedUsers: x.users}
	retired := x.retired && never
	l.commit(Record{Executor: &rec})
	x.retired, x.deadline = retired, l.never()
	if pause == 0 {
		l.start(x, true)
		return
	}
	x.retryAt = l.now.Add(pause)
}

// endCustom ends a framework's own executor: its tasks lived inside of it.
func (l *Ledger) endCustom(x *executor, limit *Limit) {
	for _, t := range sorted(x.tasks) {
		if limit != nil && t.limit == nil {
			t.limit = limit
		}
		l.end(t, l.lostExecutor(x, t))
	}
	message := x.exit.Message
	if limit != nil && message == "" {
		message = limit.Message
	}
	l.exited(x, x.exit.Status, message)
	l.removeExecutor(x)
}

// lostExecutor is the status of a task whose executor is no more.
func (l *Ledger) lostExecutor(x *executor, t *task) sdk.TaskStatus {
	s := sdk.TaskStatus{State: sdk.TaskFailed, Reason: x.exit.Reason, Message: x.exit.Message}
	if s.Reason == "" {
		s.Reason = sdk.ReasonExecutorTerminated
	}
	if s.Message == "" {
		s.Message = "Executor terminated"
	}
	if x.closing || t.kill != nil {
		s.State = sdk.TaskKilled
	}
	return s
}

func (l *Ledger) exited(x *executor, status int32, message string) {
	if x.builtin() {
		return
	}
	l.send(&link.Call{Type: link.CallExecutorExited, ExecutorExited: &link.ExecutorExited{
		FrameworkID: x.fw.info.ID, ExecutorID: x.id(), Status: status, Message: message,
	}})
}

func (l *Ledger) removeExecutor(x *executor) {
	if x.def {
		status := int32(0)
		if x.exit != nil {
			status = x.exit.Status
		}
		l.exited(x, status, "")
	}
	l.commit(Record{End: &ExecutorEnd{FrameworkID: x.fw.info.ID, ExecutorID: x.id()}})
}

// closeExecutor asks an executor to end, and uses force after its grace.
func (l *Ledger) closeExecutor(x *executor) {
	if x.closing {
		return
	}
	x.closing = true
	grace := l.o.ShutdownGrace
	if g := x.info.ShutdownGracePeriod; g != nil {
		grace = time.Duration(g.Nanoseconds)
	}
	for t := range x.tasks { // a default executor gives its tasks their own grace
		if x.def && !t.forceAt.IsZero() {
			grace = max(grace, t.forceAt.Sub(l.now))
		}
	}
	x.deadline = l.now.Add(max(grace, 0) + l.o.KillMargin)
	switch {
	case x.phase == leaving:
	case x.conn != 0:
		l.do(SendExecutor{Conn: x.conn, Event: &sdk.ExecutorEvent{Type: sdk.ExecutorEventShutdown}})
	case x.phase == starting && !x.retryAt.IsZero():
		x.retryAt = l.never()
		l.leave(x, ExecutorExited{ContainerID: x.container, Status: -1})
	}
}

// recovered ends the recovery.
func (l *Ledger) recovered(in Recovered) {
	l.restoring = false
	l.tombs.sort()
	rebooted := l.boot != "" && l.boot != in.BootID
	nonce := l.nonce
	if l.agent == "" && nonce == "" {
		nonce = l.o.Seed
	}
	if l.boot != in.BootID || l.nonce != nonce {
		l.commit(Record{Agent: &AgentRecord{ID: l.agent, BootID: in.BootID, Holed: l.holed, Nonce: nonce}})
	}
	for _, t := range l.sortedTasks() {
		if t.phase == ended || t.phase == ending {
			continue
		}
		// The agent may have died before it had ended all that the last boot left: each task
		// knows its own.
		if t.boot != in.BootID && (t.boot != "" || rebooted) {
			l.end(t, sdk.TaskStatus{State: sdk.TaskGone, Reason: sdk.ReasonAgentRestarted, Message: "The machine was restarted"})
		} else if t.kill != nil {
			l.armKill(t)
		}
	}
	for _, f := range l.sortedFrameworks() {
		for i := len(f.executors) - 1; i >= 0; i-- {
			l.recoverExecutor(f.executors[i], in, rebooted)
		}
		if f.gone {
			l.endFramework(f)
		}
	}
}

func (l *Ledger) recoverExecutor(x *executor, in Recovered, rebooted bool) {
	switch {
	case rebooted:
		x.closing = true
		l.leave(x, ExecutorExited{ContainerID: x.container, Status: -1, Message: "The machine was restarted"})
	case in.Alive[x.container]:
		x.phase = running
		x.deadline, x.late = l.now.Add(l.o.ReregisterTimeout), sdk.ReasonExecutorReregistrationTimeout
	default:
		l.leave(x, ExecutorExited{ContainerID: x.container, Status: -1, Message: "Executor terminated while the agent was away"})
	}
}
