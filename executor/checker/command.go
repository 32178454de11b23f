package checker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// dirPrefix and the check's number name the directory of a command check, below
// the runtime directory of its task.
const dirPrefix = "check-"

// endPatience is how long a killed check is waited for. What of it does not end
// then is in the task's group, which the agent empties.
const endPatience = time.Second

// command runs a check's command as its task is run: user, groups, limits,
// environment and sandbox are the task's. Exit status 0 means healthy.
func command(ctx context.Context, cmd *sdk.CommandInfo, t Task) error {
	task, err := t.Spec()
	if err != nil {
		return fmt.Errorf("the task's record cannot be read: %w", err)
	}
	dir := filepath.Join(task.RuntimeDir, dirPrefix+strconv.Itoa(t.Index))
	if err := clean(dir); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // the task may be gone by now, and its group about to be emptied
	}
	started, err := executor.Start(specOf(task, cmd, dir, t.Index))
	if err != nil {
		return fmt.Errorf("the check's command cannot be started: %w", err)
	}
	defer os.RemoveAll(dir)
	r := newRun(started)
	defer r.close()
	status, ended := r.wait(ctx)
	if ended && status == 0 {
		return nil
	}
	if !ended {
		err = errors.New("the command did not end")
	} else if ws := unix.WaitStatus(status); ws.Exited() {
		err = fmt.Errorf("the command exited with status %d", ws.ExitStatus())
	} else {
		err = fmt.Errorf("the command was ended by signal %d", int(ws.Signal()))
	}
	if said := r.said(); said != nil {
		err = fmt.Errorf("%w: %w", err, said)
	}
	return err
}

// specOf is the task's specification with another program.
func specOf(task *sdk.LaunchSpec, cmd *sdk.CommandInfo, dir string, i int) *sdk.LaunchSpec {
	s := *task
	s.ContainerID += "." + dirPrefix + strconv.Itoa(i)
	s.TaskID, s.Group, s.HealthChecks, s.RuntimeDir = "", "", nil, dir
	s.Path, s.Args = executor.Program(cmd, s.Dir)
	if cmd.Environment != nil {
		s.Env = withVariables(task.Env, cmd.Environment.Variables)
	}
	return &s
}

// withVariables is an environment in which vars win.
func withVariables(env []string, vars []sdk.Variable) []string {
	own := map[string]bool{}
	var out []string
	for _, v := range vars {
		own[v.Name] = true
		out = append(out, v.Name+"="+v.Value)
	}
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); !own[name] {
			out = append(out, kv)
		}
	}
	return out
}

// Clean ends and removes what a predecessor left of the command checks of a task.
func Clean(runtimeDir string) error {
	dirs, err := filepath.Glob(filepath.Join(runtimeDir, dirPrefix+"*"))
	for _, dir := range dirs {
		err = errors.Join(err, clean(dir))
	}
	return err
}

func clean(dir string) error {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// Adopt finds a process also where its parent was killed before it knew its start time.
	if r, s, err := executor.Adopt(dir); err == nil {
		for _, fd := range []int{s.PIDFD, s.Stdout, s.Stderr} {
			if fd >= 0 {
				_ = unix.Close(fd)
			}
		}
		if r.Process.StartTime != 0 {
			if err := executor.SignalGroup(r.Process, unix.SIGKILL); err != nil {
				return fmt.Errorf("an earlier run of the check is not ended: %w", err)
			}
			reap(r.Process)
		}
	}
	return os.RemoveAll(dir)
}

// reap collects a process that was just killed, if it is still ours, as after an
// upgrade; else whoever inherited it does.
func reap(p sdk.Process) {
	if _, _, err := executor.Peek(int(p.PID)); err != nil {
		return
	}
	fd, err := executor.Open(p)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(endPatience/time.Millisecond))
	_ = executor.Reap(int(p.PID))
}
