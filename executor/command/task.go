package command

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/executor/checker"
	"github.com/profferhq/proffer/executor/probe"
	"github.com/profferhq/proffer/executor/supervise"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/logs"
)

// task is one task that was started and whose end is not settled.
type task struct {
	id         sdk.TaskID
	container  string
	group      string
	runtimeDir string
	process    sdk.Process
	child      bool
	grace      time.Duration
	output     *supervise.Output
	kill       *executor.KillNote
	timer      *time.Timer // of the kill or of max_completion_time
	exit       *executor.Exit
	health     *health // nil without health checks
}

// defaultGrace is from SIGTERM to SIGKILL when nobody says otherwise.
const defaultGrace = 5 * time.Second

// launch starts one task. What was launched before is not launched again: it is
// adopted, so that its state is told once more.
func (e *Executor) launch(info *sdk.TaskInfo, spec *sdk.LaunchSpec) bool {
	if spec == nil {
		e.refuse(info.TaskID, "", "the agent sent no launch specification")
		return false
	}
	spec.TaskID, spec.HealthChecks = info.TaskID, probe.ChecksOf(info)
	if _, known := e.tasks[info.TaskID]; known {
		return true
	}
	if e.ending {
		e.refuse(info.TaskID, spec.ContainerID, "the executor is being shut down")
		return false
	}
	started, err := executor.Start(spec)
	if sdk.CodeOf(err) == sdk.CodeConflict {
		return e.launchedBefore(spec)
	}
	if err != nil {
		e.launchFailed(spec, err)
		return false
	}
	t := e.add(spec, started)
	t.child = true
	e.tellRunning(t)
	e.watch(t, started.PIDFD)
	if spec.MaxRunNanos > 0 {
		e.deadline(t, time.Duration(spec.MaxRunNanos))
	}
	e.watchHealth(t, spec.HealthChecks, time.Now())
	return true
}

// launchedBefore tells what became of a launch that was done already.
func (e *Executor) launchedBefore(spec *sdk.LaunchSpec) bool {
	e.o.Log.Info("launched before", "task", spec.TaskID, "container", spec.ContainerID)
	e.adoptDir(spec.RuntimeDir)
	if e.tasks[spec.TaskID] != nil {
		return true
	}
	if r, err := executor.ReadRecord(spec.RuntimeDir); err == nil && r.Settled {
		return true // the agent has acknowledged its end
	}
	e.refuse(spec.TaskID, spec.ContainerID, "was launched before, and the record of that launch is damaged or another executor's")
	return false
}

// launchGroup starts the tasks of a group; if one cannot be, none stays.
func (e *Executor) launchGroup(g *sdk.ExecutorLaunchGroup) {
	tasks := g.TaskGroup.Tasks
	for i := range tasks {
		var spec *sdk.LaunchSpec
		if i < len(g.Specs) {
			spec = &g.Specs[i]
			spec.Group = g.Specs[0].ContainerID
		}
		if e.launch(&tasks[i], spec) {
			continue
		}
		if len(g.Specs) > 0 {
			e.killGroup(g.Specs[0].ContainerID)
		}
		for j := i + 1; j < len(tasks); j++ {
			e.tellKilledAtLaunch(tasks[j].TaskID)
		}
		return
	}
}

func (e *Executor) add(spec *sdk.LaunchSpec, s *executor.Started) *task {
	t := &task{id: spec.TaskID, container: spec.ContainerID, group: spec.Group, runtimeDir: spec.RuntimeDir,
		process: s.Process, grace: time.Duration(spec.KillGraceNanos)}
	if t.grace <= 0 {
		t.grace = defaultGrace
	}
	limits := logs.Limits{Bytes: spec.LogBytes, Files: int(spec.LogFiles)}
	t.output = e.drain.Add(spec.RuntimeDir, spec.LogDir, limits, s.Stdout, s.Stderr)
	e.tasks[t.id] = t
	return t
}

func (e *Executor) watch(t *task, pidfd int) {
	err := e.waiter.Add(supervise.Watched{ContainerID: string(t.id), RuntimeDir: t.runtimeDir,
		Process: t.process, PIDFD: pidfd, Child: t.child})
	if err != nil {
		e.o.Log.Error("the end of a task will not be seen", "task", t.id, "error", err)
	}
}

// ended is called by the waiter; the record is written, and the process not reaped.
func (e *Executor) ended(w supervise.Watched, x executor.Exit) {
	e.do(func() {
		t := e.tasks[sdk.TaskID(w.ContainerID)]
		if t == nil {
			return
		}
		if w.Child {
			if err := executor.Reap(int(w.Process.PID)); err != nil && !errors.Is(err, unix.ECHILD) {
				e.o.Log.Error("a task is not reaped", "task", t.id, "error", err)
			}
		}
		e.finish(t, x)
	})
}

// finish tells the end of a task, behind all that the task has written.
func (e *Executor) finish(t *task, x executor.Exit) {
	t.exit = &x
	if t.timer != nil {
		t.timer.Stop()
	}
	t.afterHealth(func() {
		e.drain.Flush(t.output, func() {
			e.do(func() {
				state := e.tellEnd(t)
				if t.group != "" && state != sdk.TaskFinished {
					e.killGroup(t.group)
				}
			})
		})
	})
}

// acknowledged lets a task go whose end the agent has made durable, which it does
// only when the container is empty.
func (e *Executor) acknowledged(a *sdk.Acknowledged) {
	t := e.tasks[a.TaskID]
	if t != nil && t.health != nil && string(a.UUID) == string(healthID(t)) {
		e.healthStored(t)
		return
	}
	if t == nil || t.exit == nil || string(a.UUID) != string(updateID(t.container, "end")) {
		e.endIfIdle()
		return
	}
	e.drain.Finish(t.output)
	if err := executor.NoteSettled(t.runtimeDir); err != nil && !errors.Is(err, unix.ENOENT) {
		e.o.Log.Error("a settled task may be told again", "task", t.id, "error", err)
	}
	delete(e.tasks, t.id)
	e.endIfIdle()
}

// adopt takes over the tasks that a predecessor left.
func (e *Executor) adopt() error {
	dirs, err := executor.Containers(e.o.Runtime)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		e.adoptDir(dir)
	}
	return nil
}

func (e *Executor) adoptDir(dir string) {
	r, err := executor.ReadRecord(dir)
	if err != nil {
		if sdk.CodeOf(err) != sdk.CodeNotFound {
			e.o.Log.Error("a launch record is left alone", "dir", dir, "error", err)
		}
		return
	}
	mine := r.Spec.FrameworkID == e.o.Env.FrameworkID && r.Spec.ExecutorID == e.o.Env.ExecutorID
	if !mine || r.Spec.TaskID == "" || r.Settled || e.tasks[r.Spec.TaskID] != nil {
		return
	}
	r, s, err := executor.Adopt(dir)
	if sdk.CodeOf(err) == sdk.CodeNotFound {
		return // it never began: the agent asks for it again
	}
	if err != nil {
		e.o.Log.Error("a task is not adopted", "dir", dir, "error", err)
		return
	}
	e.resume(r, s)
}

// resume goes on with an adopted task where its predecessor stopped.
func (e *Executor) resume(r *executor.Record, s *executor.Started) {
	t := e.add(&r.Spec, s)
	_, _, err := executor.Peek(int(s.Process.PID))
	t.child = s.Process.PID > 0 && !errors.Is(err, unix.ECHILD) // after an upgrade
	e.o.Log.Info("adopted", "task", t.id, "pid", t.process.PID, "child", t.child, "ended", r.Exit != nil)
	e.tellRunning(t)
	t.kill = r.Kill
	if err := checker.Clean(t.runtimeDir); err != nil {
		e.o.Log.Warn("a check of a predecessor is left", "task", t.id, "error", err)
	}
	if r.Exit != nil {
		if t.child {
			_ = executor.Reap(int(t.process.PID))
		}
		e.finish(t, *r.Exit)
		return
	}
	e.watch(t, s.PIDFD)
	if t.kill == nil {
		e.watchHealth(t, r.Spec.HealthChecks, time.Now().Add(-executor.Age(t.process)))
	}
	switch {
	case t.kill != nil:
		e.escalate(t)
	case r.Spec.MaxRunNanos > 0:
		e.deadline(t, time.Duration(r.Spec.MaxRunNanos)-executor.Age(t.process))
	}
}
