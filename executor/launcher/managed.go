package launcher

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/executor/supervise"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/logs"
)

// managed is one executor.
type managed struct {
	spec    *sdk.LaunchSpec // without its environment and arguments
	process sdk.Process
	child   bool
	exit    *executor.Exit
	told    bool // the end was told to those connected; a new connection is told too
	output  *supervise.Output
}

func (m *managed) tell() executor.Managed {
	return executor.Managed{ContainerID: m.spec.ContainerID, FrameworkID: m.spec.FrameworkID,
		ExecutorID: m.spec.ExecutorID, Process: &m.process, Child: m.child, Exit: m.exit}
}

// start starts an executor; in the loop.
func (l *Launcher) start(spec *sdk.LaunchSpec) (*sdk.Process, error) {
	if l.ending {
		return nil, sdk.Errorf(sdk.CodeUnavailable, "", "the launcher is about to end and starts nothing")
	}
	s, err := executor.Start(spec)
	if err != nil {
		return nil, err
	}
	m := l.manage(spec, s)
	m.child = true
	if err := l.wait(m, s.PIDFD); err != nil {
		return nil, err
	}
	return &m.process, nil
}

func (l *Launcher) manage(spec *sdk.LaunchSpec, s *executor.Started) *managed {
	kept := *spec
	kept.Env, kept.Args, kept.Seccomp = nil, nil, nil
	m := &managed{spec: &kept, process: s.Process}
	l.managed[spec.ContainerID] = m
	limits := logs.Limits{Bytes: spec.LogBytes, Files: int(spec.LogFiles)}
	m.output = l.drain.Add(spec.RuntimeDir, spec.LogDir, limits, s.Stdout, s.Stderr)
	return m
}

func (l *Launcher) wait(m *managed, pidfd int) error {
	return l.waiter.Add(supervise.Watched{ContainerID: m.spec.ContainerID, RuntimeDir: m.spec.RuntimeDir,
		Process: m.process, PIDFD: pidfd, Child: m.child})
}

// adopt takes over the executors that a predecessor left: those that run, and
// those whose end was not forgotten.
func (l *Launcher) adopt() error {
	dirs, err := executor.Containers(l.o.Runtime)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		r, err := executor.ReadRecord(dir)
		if err != nil && sdk.CodeOf(err) != sdk.CodeNotFound {
			l.o.Log.Error("a launch record is left alone", "dir", dir, "error", err)
		}
		if err != nil || r.Spec.TaskID != "" || r.Settled {
			continue
		}
		if err := l.adoptOne(dir); err != nil {
			return err
		}
	}
	return nil
}

func (l *Launcher) adoptOne(dir string) error {
	r, s, err := executor.Adopt(dir)
	if sdk.CodeOf(err) == sdk.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	m := l.manage(&r.Spec, s)
	m.exit, m.told = r.Exit, r.Exit != nil
	_, _, err = executor.Peek(int(s.Process.PID))
	m.child = !errors.Is(err, unix.ECHILD) // after an upgrade the children are still ours
	l.o.Log.Info("adopted", "container", r.Spec.ContainerID, "pid", s.Process.PID, "child", m.child, "ended", r.Exit != nil)
	if m.exit != nil {
		if m.child {
			_ = executor.Reap(int(m.process.PID))
		}
		return nil
	}
	return l.wait(m, s.PIDFD)
}

// ended is called by the waiter; the record is written.
func (l *Launcher) ended(w supervise.Watched, e executor.Exit) {
	l.do(func() {
		m := l.managed[w.ContainerID]
		if m == nil {
			return
		}
		if w.Child {
			if err := executor.Reap(int(w.Process.PID)); err != nil {
				l.o.Log.Error("an executor is not reaped", "container", w.ContainerID, "error", err)
			}
		}
		m.exit = &e
		// What it wrote comes before its end.
		l.drain.Flush(m.output, func() {
			l.do(func() { l.publish(m) })
		})
		l.reap()
	})
}

// isManaged tells the pids that the waiter waits for.
func (l *Launcher) isManaged(pid int) bool {
	for _, m := range l.managed {
		if m.child && m.exit == nil && int(m.process.PID) == pid {
			return true
		}
	}
	return false
}

// forget drops an executor that has ended and whose container is empty.
func (l *Launcher) forget(containerID string) error {
	m := l.managed[containerID]
	if m == nil {
		return nil
	}
	if m.exit == nil {
		return sdk.Errorf(sdk.CodeConflict, "container_id", "%s still runs as process %d", containerID, m.process.PID)
	}
	if err := executor.NoteSettled(m.spec.RuntimeDir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l.drain.Finish(m.output)
	delete(l.managed, containerID)
	return nil
}

// signal signals the process group; the leader cannot have been reaped meanwhile
// when it is our child, because the loop itself reaps.
func (l *Launcher) signal(containerID string, sig unix.Signal) error {
	m := l.managed[containerID]
	if m == nil {
		return sdk.Errorf(sdk.CodeNotFound, "container_id", "no executor runs in container %s", containerID)
	}
	if m.exit != nil {
		return nil
	}
	return executor.SignalGroup(m.process, sig)
}

// list tells all, by their container ids.
func (l *Launcher) list() []executor.Managed {
	all := make([]executor.Managed, 0, len(l.managed))
	for _, m := range l.managed {
		all = append(all, m.tell())
	}
	slices.SortFunc(all, func(a, b executor.Managed) int {
		if a.ContainerID < b.ContainerID {
			return -1
		}
		return 1
	})
	return all
}
