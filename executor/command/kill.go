package command

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// killAsked kills a task for the framework; its policy may shorten or lengthen the
// grace that the task was launched with.
func (e *Executor) killAsked(k *sdk.ExecutorKill) {
	t := e.tasks[k.TaskID]
	if t == nil {
		e.o.Log.Warn("asked to kill an unknown task", "task", k.TaskID)
		return
	}
	grace := t.grace
	if p := k.KillPolicy; p != nil && p.GracePeriod != nil {
		grace = max(0, time.Duration(p.GracePeriod.Nanoseconds))
	}
	e.kill(t, executor.KillAsked, grace)
}

// kill begins to kill a task, or shortens the grace of a kill under way. The reason
// is written down before the first signal: whoever adopts the task must know that
// its end was wanted.
func (e *Executor) kill(t *task, why executor.KillReason, grace time.Duration) {
	if t.exit != nil {
		return
	}
	t.stopHealth()
	first := t.kill == nil
	if first {
		t.kill = &executor.KillNote{Reason: why, At: time.Now(), Grace: grace}
	} else if grace >= t.kill.Grace {
		return
	}
	t.kill.Grace = grace
	if err := executor.NoteKill(t.runtimeDir, *t.kill); err != nil {
		e.o.Log.Error("a kill is not written down", "task", t.id, "error", err)
	}
	if first {
		if e.tellKilling && why != executor.KillDeadline {
			e.tellKillingState(t)
		}
		e.signal(t, unix.SIGTERM)
	}
	e.escalate(t)
}

// escalate sends SIGKILL when the grace is over, counted from the first signal.
func (e *Executor) escalate(t *task) {
	e.after(t, time.Until(t.kill.At.Add(t.kill.Grace)), func() { e.signal(t, unix.SIGKILL) })
}

// deadline enforces max_completion_time.
func (e *Executor) deadline(t *task, left time.Duration) {
	e.after(t, left, func() {
		if t.kill == nil {
			e.o.Log.Info("max_completion_time is over", "task", t.id)
			e.kill(t, executor.KillDeadline, t.grace)
		}
	})
}

// after runs f in the loop, in place of what the task's timer was set to.
func (e *Executor) after(t *task, d time.Duration, f func()) {
	if t.timer != nil {
		t.timer.Stop()
	}
	t.timer = time.AfterFunc(max(0, d), func() {
		e.do(func() {
			if t.exit == nil {
				f()
			}
		})
	})
}

// signal reaches the whole process group. The leader is not reaped as long as
// t.exit is nil, so the number is not another's.
func (e *Executor) signal(t *task, sig unix.Signal) {
	if err := executor.SignalGroup(t.process, sig); err != nil {
		e.o.Log.Error("a task is not signalled", "task", t.id, "signal", int(sig), "error", err)
	}
}

// killGroup kills what is left of a task group of which one task has failed.
func (e *Executor) killGroup(group string) {
	for _, t := range e.tasks {
		if t.group == group {
			e.kill(t, executor.KillGroup, t.grace)
		}
	}
}
