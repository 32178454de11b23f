package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/isolator/sandbox"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// Sweep ends everything that a dead agent has left in its work directory: tasks (SIGTERM,
// the grace, SIGKILL), executors, the launcher, groups and FIFOs. Sandboxes, logs and the
// checkpoint stay. It reads no checkpoint, because a damaged one may be what keeps the
// agent from starting, and asks no master. No agent may run on the directory meanwhile.
func Sweep(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, o.StopTimeout)
	defer cancel()
	a := &Agent{o: o, log: o.Log.With("component", "sweep"), root: os.Geteuid() == 0, layout: sandbox.Layout{WorkDir: o.Dir}}
	if _, err := os.Stat(a.layout.Containers()); errors.Is(err, os.ErrNotExist) {
		return nil // no agent ever got as far
	}
	if err := a.openDir(); err != nil {
		return err
	}
	a.openIsolators()
	left := a.leftBehind()
	a.askToEnd(ctx, left)
	errs := []error{a.killLauncher(ctx)}
	// Executors after the tasks: they collect what those say until then. What an executor has
	// started meanwhile is there at the second look.
	for range 2 {
		for _, tasks := range []bool{true, false} {
			for _, r := range left {
				if (r.Spec.TaskID != "") == tasks {
					errs = append(errs, a.endLeft(ctx, r))
				}
			}
		}
		left = a.leftBehind()
	}
	_, err := a.chain.Recover(ctx, nil)
	errs = append(errs, err)
	_, err = a.dirs.Recover(ctx, nil)
	errs = append(errs, err)
	if a.groups != nil {
		errs = append(errs, a.groups.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sweep %s: %w", o.Dir, err)
	}
	return nil
}

// leftBehind are the containers whose process was begun and is not known to have ended.
func (a *Agent) leftBehind() []*executor.Record {
	dirs, err := executor.Containers(a.layout.Runtime())
	if err != nil {
		a.log.Warn("the containers' records cannot be listed", "why", err)
	}
	var out []*executor.Record
	for _, dir := range dirs {
		r, err := executor.ReadRecord(dir)
		switch {
		case err != nil:
			a.log.Warn("a container's record cannot be read; only its group can be ended", "container", filepath.Base(dir), "why", err)
		case r.Process.PID != 0:
			out = append(out, r)
		}
	}
	return out
}

// askToEnd sends SIGTERM to the tasks and waits for the longest of their graces.
func (a *Agent) askToEnd(ctx context.Context, left []*executor.Record) {
	var tasks []sdk.Process
	var grace time.Duration
	for _, r := range left {
		if r.Spec.TaskID != "" && executor.Alive(r.Process) {
			_ = executor.SignalGroup(r.Process, unix.SIGTERM)
			tasks = append(tasks, r.Process)
			grace = max(grace, time.Duration(r.Spec.KillGraceNanos))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for _, p := range tasks {
		for executor.Alive(p) {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

// killLauncher ends the launcher first: it must not answer for anybody any more.
func (a *Agent) killLauncher(ctx context.Context) error {
	l, err := executor.Dial(ctx, filepath.Join(a.layout.Runtime(), executor.LauncherSocket))
	if err != nil {
		return nil // nobody serves there
	}
	defer func() { _ = l.Close() }()
	fd, err := unix.PidfdOpen(l.PID(), 0)
	if err != nil {
		return nil // it has just ended
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill the launcher (process %d): %w", l.PID(), err)
	}
	return awaitExit(ctx, fd)
}

// endLeft empties one container. Without control groups its processes are found by the group
// whose leader the first one is: it is not killed before they are looked for, if it is known
// well enough to be looked for.
func (a *Agent) endLeft(ctx context.Context, r *executor.Record) error {
	if (a.groups != nil || r.Process.StartTime == 0) && executor.Alive(r.Process) {
		if err := executor.SignalGroup(r.Process, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("kill container %s: %w", r.Spec.ContainerID, err)
		}
	}
	c := &isolator.Container{ID: r.Spec.ContainerID, Process: &r.Process}
	return errors.Join(a.chain.Destroy(ctx, c), a.chain.Cleanup(ctx, c))
}

// awaitExit waits until the process of a pidfd has ended, or ctx has.
func awaitExit(ctx context.Context, pidfd int) error {
	for ctx.Err() == nil {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 50)
		if n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for a process: %w", err)
		}
	}
	return ctx.Err()
}
