package ledger

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// lostAfter is how long the agent waits for the executor's word about a task
// whose process is gone.
const lostAfter = 30 * time.Second

// tick ends every wait that has lasted long enough.
func (l *Ledger) tick() {
	if l.restoring {
		return
	}
	if l.registered && !plantForgetResend {
		for _, t := range sorted(l.waiting) {
			if !l.now.Before(t.resendAt) {
				l.forward(t)
			}
		}
	}
	for _, t := range sorted(l.killing) {
		l.tickTask(t)
	}
	for _, f := range l.sortedFrameworks() {
		for i := len(f.executors) - 1; i >= 0; i-- {
			l.tickExecutor(f.executors[i])
		}
	}
	l.tombs.expire(l.now.Add(-l.o.TombstoneAge).Unix(), l.o.TombstoneMax)
}

// Waits tells whether a wait goes on whose end is awaited: a status to be sent again, a
// task or an executor that is to end, one that starts.
func (l *Ledger) Waits() bool {
	if l.restoring || len(l.waiting) > 0 || len(l.killing) > 0 {
		return true
	}
	for _, f := range l.frameworks {
		for _, x := range f.executors {
			if x.phase != running || x.closing || !x.deadline.IsZero() || !x.retryAt.IsZero() {
				return true
			}
		}
	}
	return false
}

func (l *Ledger) tickTask(t *task) {
	switch {
	case t.phase >= ending:
		delete(l.killing, t)
	case !t.forceAt.IsZero() && !l.now.Before(t.forceAt):
		l.end(t, sdk.TaskStatus{State: sdk.TaskKilled, Message: "Killed by the agent: it had not ended within its grace period"})
	case !t.goneAt.IsZero() && !l.now.Before(t.goneAt.Add(lostAfter)):
		l.end(t, sdk.TaskStatus{State: sdk.TaskFailed, Reason: sdk.ReasonExecutorTerminated,
			Message: "The process is gone and nobody could collect its exit status"})
	}
}

func (l *Ledger) tickExecutor(x *executor) {
	due := !x.deadline.IsZero() && !l.now.Before(x.deadline)
	switch {
	case x.phase == leaving:
	case x.closing && x.def && x.phase == starting && x.process == nil && len(x.tasks) == 0 && x.exit != nil:
		l.removeExecutor(x)
	case x.closing && due:
		x.deadline = l.never()
		l.leave(x, ExecutorExited{ContainerID: x.container, Status: -1, Message: "Executor did not end within its grace period"})
	case !x.retryAt.IsZero():
		if !l.now.Before(x.retryAt) {
			l.start(x, true)
		}
	case due:
		x.deadline = l.never()
		l.leave(x, ExecutorExited{ContainerID: x.container, Status: -1, Reason: x.late, Message: "Executor did not subscribe in time"})
	case x.def && x.conn != 0 && !x.closing && len(x.tasks) == 0 && !l.now.Before(x.idleAt.Add(l.o.IdleExecutor)):
		l.closeExecutor(x)
	}
}
