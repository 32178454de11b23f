package command

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// reap plays the agent's part as a subreaper: it inherits what a dead launcher
// leaves.
func (a *agent) reap() {
	r, err := executor.NewReaper(a.runtime, "agent", func(int) bool { return false })
	if err != nil {
		a.t.Fatal(err)
	}
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
				if _, err := r.Reap(); err != nil {
					a.t.Error(err)
				}
			}
		}
	})
	a.t.Cleanup(func() {
		close(stop)
		running.Wait()
		_ = r.Close()
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
	})
}

func (a *agent) killNow(pid int) {
	a.t.Helper()
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		a.t.Fatal(err)
	}
}

// gated is a task that ends with 7 once its gate is written to.
func (a *agent) gated(id string) (spec *sdk.LaunchSpec, open func()) {
	gate := filepath.Join(a.dir, id+".gate")
	if err := unix.Mkfifo(gate, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return a.spec(id, "read x < "+gate+"; exit 7"), func() {
		a.t.Helper()
		if err := os.WriteFile(gate, []byte("go\n"), 0); err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *agent) seven(id sdk.TaskID) {
	a.t.Helper()
	if end := a.end(id); end.Status.Message != "Command exited with status 7" || end.Status.State != sdk.TaskFailed {
		a.t.Errorf("%s is told as %s %q", id, end.Status.State, end.Status.Message)
	}
}

// P9: the launcher is killed; the tasks and the executor go on, and the next
// launcher knows the executor, also its end.
func TestLauncherKilled(t *testing.T) {
	a := newAgent(t)
	a.reap()
	first := a.dial()
	p := a.startExecutor(first, "ex1")
	spec, open := a.gated("t1")
	a.run(spec)
	before := a.state("t1", sdk.TaskRunning)
	a.killNow(first.PID())
	<-first.Done()
	second := a.dial()
	ctx, cancel := contextFor(20 * time.Second)
	defer cancel()
	all, err := second.List(ctx)
	if err != nil || len(all) != 1 || *all[0].Process != p || all[0].Child || all[0].Exit != nil {
		t.Fatalf("the new launcher knows %+v, %v", all, err)
	}
	open()
	a.seven("t1")
	if end := a.end("t1"); *end.Process != *before.Process {
		t.Error("the task is another")
	}
	spec, open = a.gated("t2")
	a.run(spec)
	a.state("t2", sdk.TaskRunning)
	a.killNow(int(p.PID)) // the executor of the dead launcher: its task falls to the agent
	if e := <-second.Exits(); e.ContainerID != "ex1" || !e.Known || e.WaitStatus != int32(unix.SIGKILL) {
		t.Errorf("the end of another's executor is told as %+v", e)
	}
	open()
	a.startExecutor(second, "ex2")
	a.seven("t2")
	if err := second.Forget(ctx, "ex1"); err != nil {
		t.Error(err)
	}
	a.quit(second, "ex2")
}

// Executor and launcher are killed together, and the task ends while neither serves.
func TestExecutorAndLauncherKilled(t *testing.T) {
	a := newAgent(t)
	a.reap()
	first := a.dial()
	p := a.startExecutor(first, "ex1")
	ends, open := a.gated("ends")
	stays, openStays := a.gated("stays")
	a.run(ends)
	a.run(stays)
	a.state("ends", sdk.TaskRunning)
	before := a.state("stays", sdk.TaskRunning)
	a.killNow(first.PID())
	a.killNow(int(p.PID))
	open()
	second := a.dial()
	a.startExecutor(second, "ex2")
	a.seven("ends")
	if !executor.Alive(*before.Process) {
		t.Error("the task did not survive")
	}
	openStays()
	a.seven("stays")
	ctx, cancel := contextFor(20 * time.Second)
	defer cancel()
	if e := <-second.Exits(); e.ContainerID != "ex1" || !e.Known {
		t.Errorf("the old executor's end is told as %+v", e)
	}
	if err := second.Forget(ctx, "ex1"); err != nil {
		t.Error(err)
	}
	a.quit(second, "ex2")
}

// P8: what a task writes after the death of its executor is kept, though the task
// ends before there is a successor.
func TestLastWordsWithoutExecutor(t *testing.T) {
	a := newAgent(t)
	a.reap()
	l := a.dial()
	p := a.startExecutor(l, "ex1")
	spec, open := a.gated("t1")
	spec.Args[2] = "echo first; " + strings.Replace(spec.Args[2], "exit 7", "echo last; echo err >&2; exit 7", 1)
	a.run(spec)
	task := a.state("t1", sdk.TaskRunning)
	a.awaitLog("t1", "first")
	a.killNow(l.PID())
	a.killNow(int(p.PID))
	open()
	eventually(t, "the task's end", func() bool { return !executor.Alive(*task.Process) })
	next := a.dial()
	a.startExecutor(next, "ex2")
	a.seven("t1")
	if out, err := a.logOf("t1", "stdout"), a.logOf("t1", "stderr"); out != "first\nlast\n" || err != "err\n" {
		t.Errorf("stdout %q, stderr %q", out, err)
	}
	ctx, cancel := contextFor(20 * time.Second)
	defer cancel()
	if e := <-next.Exits(); e.ContainerID != "ex1" {
		t.Errorf("the end of %s", e.ContainerID)
	}
	if err := next.Forget(ctx, "ex1"); err != nil {
		t.Error(err)
	}
	a.quit(next, "ex2")
}

// P8, P9: ten kills of the executor under a task that writes at full speed and a
// steady stream of tasks that end with 7.
func TestTenKillsUnderLoad(t *testing.T) {
	a := newAgent(t)
	l := a.dial()
	const lines = 600_000
	writer := a.spec("writer", fmt.Sprintf("i=0; while [ $i -lt %d ]; do echo $i; i=$((i+1)); done; exit 3", lines))
	writer.LogBytes, writer.LogFiles = 1<<20, 1000
	ctx, cancel := contextFor(60 * time.Second)
	defer cancel()
	var ids []sdk.TaskID
	for round := range 11 {
		container := fmt.Sprint("ex", round)
		p := a.startExecutor(l, container)
		if round == 0 {
			a.run(writer)
		}
		for i := range 5 {
			id := fmt.Sprintf("t%d-%d", round, i)
			ids = append(ids, sdk.TaskID(id))
			a.run(a.spec(id, "echo x >> "+filepath.Join(a.dir, "starts-"+id)+"; sleep 0.0"+fmt.Sprint(i)+"; exit 7"))
		}
		if round == 10 {
			break
		}
		a.state("writer", sdk.TaskRunning)
		if r, err := executor.ReadRecord(writer.RuntimeDir); err != nil || r.Exit != nil {
			t.Errorf("at kill %d the writer does not write: %+v, %v", round, r, err)
		}
		select {
		case <-time.After(time.Duration(5+time.Now().UnixNano()%40) * time.Millisecond): // any moment
		case e := <-l.Exits():
			t.Fatalf("%s ended before it was killed", e.ContainerID)
		}
		a.killNow(int(p.PID))
		if e := <-l.Exits(); e.ContainerID != container {
			t.Fatalf("the end of %s instead of %s", e.ContainerID, container)
		}
		if err := l.Forget(ctx, container); err != nil {
			t.Error(err)
		}
		a.again(ids)
	}
	for _, id := range ids {
		a.seven(id)
		if b, _ := os.ReadFile(filepath.Join(a.dir, "starts-"+string(id))); string(b) != "x\n" {
			t.Errorf("%s started as %q", id, b)
		}
	}
	if end := a.end("writer"); *end.WaitStatus != 3<<8 {
		t.Errorf("the writer ended as %+v", end.Status)
	}
	got := strings.Split(a.logOf("writer", "stdout"), "\n")
	if len(got) != lines+1 {
		t.Fatalf("%d lines, want %d", len(got)-1, lines)
	}
	for i, line := range got[:lines] {
		if line != fmt.Sprint(i) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
	a.quit(l, "ex10")
}

// again keeps the launches that the dead executor never told of, for the next one,
// as the agent does.
func (a *agent) again(ids []sdk.TaskID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stream = nil
	a.relaunch = nil
	for _, id := range ids {
		if len(a.told[id]) == 0 {
			a.relaunch = append(a.relaunch, a.specs[id])
		}
	}
}

// An upgrade keeps the executor's pid, its children and their ends.
func TestUpgradeKeepsTasks(t *testing.T) {
	a := newAgent(t)
	l := a.dial()
	p := a.startExecutor(l, "ex1")
	spec, open := a.gated("t1")
	a.run(spec)
	before := a.state("t1", sdk.TaskRunning)
	a.mu.Lock()
	a.stream = nil
	a.mu.Unlock()
	if err := unix.Kill(int(p.PID), unix.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	a.await("second SUBSCRIBE", func() bool { return a.stream != nil })
	a.mu.Unlock()
	open()
	a.seven("t1")
	if end := a.end("t1"); *end.Process != *before.Process || !executor.Alive(p) {
		t.Errorf("the task is %+v, was %+v", end.Process, before.Process)
	}
	a.run(a.spec("t2", "exit 7"))
	a.seven("t2")
	a.quit(l, "ex1")
}
