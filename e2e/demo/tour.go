package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/profferhq/proffer/e2e/ports"
)

// tour is what one step leaves for the next.
type tour struct {
	bin, dir string
	offset   int
	up       *exec.Cmd
	ended    chan error
	task     string
	pid      int    // of the detached task, as it wrote it itself
	web      string // the text of the web service's definition
	slots    string // the file in which the runs of the job of every two seconds write
}

func (t *tour) state() string { return filepath.Join(t.dir, "up") }

// run gives a command's output and exit code; any other failure is an error with what it said.
func (t *tour) run(ctx context.Context, args ...string) (string, int, error) {
	var out, talk bytes.Buffer
	cmd := t.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &talk
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return out.String(), exit.ExitCode(), nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("`proffer %s`: %w: %s", strings.Join(args, " "), err, talk.String())
	}
	return out.String(), 0, nil
}

// until asks check again and again until it holds or ctx ends.
func until(ctx context.Context, what string, check func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !check() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		}
	}
	return nil
}

// startUp starts `proffer up` and waits for the line that says it serves.
func (t *tour) startUp(ctx context.Context) error {
	offset, err := ports.Offset("demo", 2)
	if err != nil {
		return err
	}
	t.offset = offset
	t.up = t.command(context.WithoutCancel(ctx), "up", "--dir", t.state(), "--agents", "2", "--port-offset", strconv.Itoa(offset))
	talk, err := t.up.StderrPipe()
	if err != nil {
		return err
	}
	if err := t.up.Start(); err != nil {
		return err
	}
	serves := make(chan bool, 1)
	t.ended = make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(talk)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "proffer is up") {
				serves <- true
			}
		}
		_, _ = io.Copy(io.Discard, talk)
		t.ended <- t.up.Wait()
	}()
	select {
	case <-serves:
		return nil
	case err := <-t.ended:
		t.ended <- err
		return fmt.Errorf("`proffer up` ended: %v", err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *tour) status(ctx context.Context) error {
	out, code, err := t.run(ctx, "status")
	if err == nil && (code != 0 || !strings.Contains(out, "healthy")) {
		err = fmt.Errorf("exit code %d, %q", code, out)
	}
	return err
}

func (t *tour) hello(ctx context.Context) error {
	out, code, err := t.run(ctx, "run", "--", "echo", "hello")
	if err == nil && (code != 0 || out != "hello\n") {
		err = fmt.Errorf("exit code %d, %q", code, out)
	}
	return err
}

func (t *tour) exitCode(ctx context.Context) error {
	out, code, err := t.run(ctx, "run", "--", "sh", "-c", "id -u; exit 7")
	if err != nil {
		return err
	}
	if code != 7 {
		return fmt.Errorf("the exit code is %d", code)
	}
	if uid := strings.TrimSpace(out); os.Getuid() == 0 && uid == "0" {
		return errors.New("the task ran as root")
	}
	return nil
}

// detach starts a task that counts, and tells its pid first.
func (t *tour) detach(ctx context.Context) error {
	out, code, err := t.run(ctx, "run", "--detach", "--", "sh", "-c", "echo pid $$; i=0; while true; do echo $i; i=$((i+1)); sleep 0.02; done")
	if err != nil || code != 0 {
		return fmt.Errorf("exit code %d: %v", code, err)
	}
	t.task = strings.TrimSpace(out)
	list, _, err := t.run(ctx, "ps")
	if err != nil || !strings.Contains(list, t.task) {
		return fmt.Errorf("`ps` does not list %s: %v\n%s", t.task, err, list)
	}
	return until(ctx, "the task's first lines", func() bool {
		text, _, err := t.run(ctx, "logs", t.task)
		lines := strings.Split(text, "\n")
		if err != nil || len(lines) < 4 {
			return false
		}
		t.pid, err = strconv.Atoi(strings.TrimPrefix(lines[0], "pid "))
		return err == nil
	})
}

// killAgent kills the agents, one after the other, and looks at the task itself.
func (t *tour) killAgent(ctx context.Context) error {
	before, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", t.pid))
	if err != nil {
		return err
	}
	victims, err := childrenNamed(t.up.Process.Pid, "agent")
	if err != nil || len(victims) != 2 {
		return fmt.Errorf("expected two agents below `proffer up`, found %v: %v", victims, err)
	}
	for _, pid := range victims {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return err
		}
	}
	lines := 0
	if err := until(ctx, "the agents coming back", func() bool {
		text, code, err := t.run(ctx, "logs", t.task)
		n, whole := countsUp(text)
		grown := whole && lines > 0 && n > lines
		lines = n
		return err == nil && code == 0 && grown
	}); err != nil {
		return err
	}
	after, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", t.pid))
	if err != nil || startTime(before) != startTime(after) {
		return fmt.Errorf("the task is not the same process any more: %v", err)
	}
	return nil
}

// countsUp tells how many numbers stand below the first line, and whether none is missing.
func countsUp(text string) (n int, whole bool) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines[1:] {
		if line != strconv.Itoa(i) {
			return n, false
		}
		n++
	}
	return n, true
}

func startTime(stat []byte) string {
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return "?"
	}
	return fields[19]
}

// childrenNamed lists the children of pid whose second word is name.
func childrenNamed(pid int, name string) ([]int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil, err
	}
	// Children belong to the thread that made them: look at every thread.
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, err
	}
	for _, f := range threads {
		more, err := os.ReadFile(f)
		if err == nil {
			text = append(append(text, ' '), more...)
		}
	}
	var out []int
	seen := map[int]bool{}
	for _, field := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(field)
		if err != nil || seen[child] {
			continue
		}
		seen[child] = true
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child))
		if words := strings.Split(string(cmdline), "\x00"); len(words) > 1 && words[1] == name {
			out = append(out, child)
		}
	}
	return out, nil
}

func (t *tour) kill(ctx context.Context) error {
	if _, code, err := t.run(ctx, "kill", t.task); err != nil || code != 0 {
		return fmt.Errorf("exit code %d: %v", code, err)
	}
	return until(ctx, "the task's end", func() bool {
		return syscall.Kill(t.pid, 0) == syscall.ESRCH
	})
}

// stop is ctrl-C, and a look for what may not be left.
func (t *tour) stop(ctx context.Context) error {
	if err := t.up.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	select {
	case err := <-t.ended:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	t.up = nil
	return nothingLeft(t.dir)
}

// nothingLeft looks for processes and FIFOs that belong to the directory.
func nothingLeft(dir string) error {
	procs, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	for _, p := range procs {
		if text, err := os.ReadFile(p); err == nil && bytes.Contains(text, []byte(dir)) && !strings.Contains(p, fmt.Sprintf("/%d/", os.Getpid())) {
			return fmt.Errorf("a process is left: %s", bytes.ReplaceAll(text, []byte{0}, []byte{' '}))
		}
	}
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type()&os.ModeNamedPipe != 0 {
			err = fmt.Errorf("a FIFO is left: %s", path)
		}
		return err
	})
}

// close stops what a failed step has left running.
func (t *tour) close() {
	if t.up != nil && t.up.Process != nil {
		_ = t.up.Process.Signal(os.Interrupt)
		select {
		case <-t.ended:
		case <-time.After(40 * time.Second):
			_ = t.up.Process.Kill()
		}
	}
	_ = os.RemoveAll(t.dir)
}
