package command

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/logs"
)

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

func contextFor(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}

// logOf is what is kept of a task's stream.
func (a *agent) logOf(container, stream string) string {
	a.t.Helper()
	r, err := logs.NewReader(filepath.Join(a.dir, "logs", container), stream, 0)
	if err != nil {
		a.t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(b)
}

func TestTaskFromLaunchToAcknowledgedEnd(t *testing.T) {
	a := newAgent(t)
	l := a.dial()
	a.startExecutor(l, "ex1")
	a.run(a.spec("t1", "echo hello; echo oops >&2; exit 7"))
	running := a.state("t1", sdk.TaskRunning)
	if running.Process == nil || running.Process.PID <= 0 || running.Process.StartTime == 0 {
		t.Errorf("RUNNING tells the process %+v", running.Process)
	}
	end := a.end("t1")
	if end.Status.State != sdk.TaskFailed || end.Status.Message != "Command exited with status 7" || end.WaitStatus == nil || *end.WaitStatus != 7<<8 {
		t.Errorf("the end is %s %q, wait status %v", end.Status.State, end.Status.Message, end.WaitStatus)
	}
	// All that the task wrote is there when its end is told.
	if out, err := a.logOf("t1", "stdout"), a.logOf("t1", "stderr"); out != "hello\n" || err != "oops\n" {
		t.Errorf("stdout %q, stderr %q", out, err)
	}
	a.settled("t1")
	a.run(a.spec("t2", "true"))
	if end := a.end("t2"); end.Status.State != sdk.TaskFinished || end.Status.Message != "Command exited with status 0" {
		t.Errorf("the end is %s %q", end.Status.State, end.Status.Message)
	}
	a.quit(l, "ex1")
}

// settled waits until the executor has let the task go: no FIFO is left of it.
func (a *agent) settled(container string) {
	a.t.Helper()
	eventually(a.t, container+" is settled, and its FIFO gone", func() bool {
		r, err := executor.ReadRecord(filepath.Join(a.runtime, executor.ContainersDir, container))
		if err != nil {
			a.t.Fatal(err)
		}
		_, err = os.Stat(filepath.Join(a.runtime, executor.ContainersDir, container, "stdout"))
		return r.Settled && os.IsNotExist(err)
	})
}

// eventually asks again and again until it holds, 20 s at the most.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("not within 20 s: " + what)
		}
	}
}

// quit shuts the executor and then the launcher down, and sees them go.
func (a *agent) quit(l *executor.Launcher, container string) {
	a.t.Helper()
	a.send(&sdk.ExecutorEvent{Type: sdk.ExecutorEventShutdown})
	select {
	case e := <-l.Exits():
		if e.ContainerID != container || !e.Known || e.WaitStatus != 0 {
			a.t.Errorf("the executor ended as %+v", e)
		}
	case <-time.After(20 * time.Second):
		a.t.Fatal("the executor does not end")
	}
	ctx, cancel := contextFor(10 * time.Second)
	defer cancel()
	if err := l.Forget(ctx, container); err != nil {
		a.t.Error(err)
	}
	if err := l.Shutdown(ctx); err != nil {
		a.t.Error(err)
	}
	select {
	case <-l.Done():
	case <-ctx.Done():
		a.t.Error("the launcher does not end")
	}
}

func TestKillEscalates(t *testing.T) {
	a := newAgent(t)
	a.killing = true
	l := a.dial()
	a.startExecutor(l, "ex1")
	a.run(a.spec("meek", `trap 'echo term; exit 0' TERM; echo ready; while :; do sleep 0.05; done`))
	a.run(a.spec("stubborn", `trap 'echo term' TERM; echo ready; while :; do sleep 0.05; done`))
	for _, id := range []string{"meek", "stubborn"} {
		a.state(sdk.TaskID(id), sdk.TaskRunning)
		a.awaitLog(id, "ready")
	}
	a.kill("meek", 0)
	a.kill("stubborn", 300*time.Millisecond)
	a.state("meek", sdk.TaskKilling)
	if end := a.end("meek"); end.Status.State != sdk.TaskKilled || end.Status.Message != "Command exited with status 0" {
		t.Errorf("meek ends as %s %q", end.Status.State, end.Status.Message)
	}
	if end := a.end("stubborn"); end.Status.State != sdk.TaskKilled || end.Status.Message != "Command terminated with signal Killed" {
		t.Errorf("stubborn ends as %s %q", end.Status.State, end.Status.Message)
	}
	if got := a.logOf("stubborn", "stdout"); !strings.Contains(got, "term") {
		t.Errorf("stubborn did not see SIGTERM first: %q", got)
	}
	a.quit(l, "ex1")
}

func (a *agent) awaitLog(container, text string) {
	a.t.Helper()
	eventually(a.t, container+" writes "+text, func() bool { return strings.Contains(a.logOf(container, "stdout"), text) })
}

func TestDeadlineAndGroup(t *testing.T) {
	a := newAgent(t)
	l := a.dial()
	a.startExecutor(l, "ex1")
	late := a.spec("late", "sleep 60")
	late.MaxRunNanos = int64(100 * time.Millisecond)
	a.run(late)
	if end := a.end("late"); end.Status.State != sdk.TaskFailed || end.Status.Reason != sdk.ReasonMaxCompletionTimeReached {
		t.Errorf("late ends as %s %s", end.Status.State, end.Status.Reason)
	}
	g := &sdk.ExecutorLaunchGroup{Specs: []sdk.LaunchSpec{*a.spec("g1", "sleep 60"), *a.spec("g2", "sleep 0.2; exit 3"), *a.spec("g3", "exit 0")}}
	for _, s := range g.Specs {
		g.TaskGroup.Tasks = append(g.TaskGroup.Tasks, info(s.ContainerID))
	}
	a.send(&sdk.ExecutorEvent{Type: sdk.ExecutorEventLaunchGroup, LaunchGroup: g})
	for id, want := range map[sdk.TaskID]sdk.TaskState{"g1": sdk.TaskKilled, "g2": sdk.TaskFailed, "g3": sdk.TaskFinished} {
		if end := a.end(id); end.Status.State != want {
			t.Errorf("%s ends as %s, want %s", id, end.Status.State, want)
		}
	}
	a.quit(l, "ex1")
}

func TestFailedLaunches(t *testing.T) {
	a := newAgent(t)
	l := a.dial()
	a.startExecutor(l, "ex1")
	nothing := a.spec("nothing", "")
	nothing.Path, nothing.Args = "no-such-program", []string{"x"}
	a.run(nothing)
	end := a.end("nothing")
	if end.Status.State != sdk.TaskFailed || end.Status.Reason != "" || end.WaitStatus == nil || *end.WaitStatus != 127<<8 ||
		end.Status.Message != "Command exited with status 127: execute program no-such-program: no such file or directory" {
		t.Errorf("a missing program ends as %+v, wait status %v", end.Status, end.WaitStatus)
	}
	if got := a.logOf("nothing", "stderr"); !strings.Contains(got, "no-such-program: no such file or directory") {
		t.Errorf("its stderr says %q", got)
	}
	for name, text := range map[string]string{"forbidden": "", "strange": "not a program"} {
		file := filepath.Join(a.dir, name)
		mode := os.FileMode(0o755)
		if name == "forbidden" {
			mode = 0o644
		}
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		spec := a.spec(name, "")
		spec.Path, spec.Args = file, []string{name}
		a.run(spec)
		if end := a.end(sdk.TaskID(name)); end.WaitStatus == nil || *end.WaitStatus != 126<<8 || !strings.Contains(end.Status.Message, "status 126: execute program "+file) {
			t.Errorf("%s ends as %+v, wait status %v", name, end.Status, end.WaitStatus)
		}
	}
	lost := a.spec("lost", "true")
	lost.CgroupsV1 = []string{"/sys/fs/cgroup/cpu/no-such-group"}
	a.run(lost)
	if end := a.end("lost"); end.Status.Reason != sdk.ReasonContainerLaunchFailed || !strings.Contains(end.Status.Message, "no-such-group") {
		t.Errorf("a missing group ends as %+v", end.Status)
	}
	a.run(a.spec("after", "true"))
	a.end("after")
	a.quit(l, "ex1")
}

// A second start of a container is answered with what is known of the first.
func TestNoSecondStart(t *testing.T) {
	a := newAgent(t)
	l := a.dial()
	a.startExecutor(l, "ex1")
	file := filepath.Join(a.dir, "starts")
	spec := a.spec("once", "echo x >> "+file+"; sleep 60")
	a.run(spec)
	a.state("once", sdk.TaskRunning)
	a.awaitFile(file)
	a.run(spec)
	a.run(a.spec("other", "true"))
	a.end("other")
	a.kill("once", time.Second)
	a.end("once")
	if b, _ := os.ReadFile(file); string(b) != "x\n" {
		t.Errorf("the task started more than once: %q", b)
	}
	a.quit(l, "ex1")
}

func (a *agent) awaitFile(file string) {
	a.t.Helper()
	eventually(a.t, file+" is written", func() bool {
		b, _ := os.ReadFile(file)
		return len(b) > 0
	})
}

// P9, P18: the executor is killed with SIGKILL while a task runs, another ends, and
// a third is being killed; the successor carries on with all three.
func TestSuccessorAdopts(t *testing.T) {
	a := newAgent(t)
	l := a.dial()
	p := a.startExecutor(l, "ex1")
	gate := filepath.Join(a.dir, "gate")
	a.run(a.spec("stays", "while ! [ -e "+gate+" ]; do sleep 0.02; done; echo done; exit 3"))
	a.run(a.spec("ends", "read x < "+gate+".fifo; exit 7"))
	a.run(a.spec("killed", `trap 'echo term' TERM; echo ready; while :; do sleep 0.05; done`))
	if err := unix.Mkfifo(gate+".fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	stays := a.state("stays", sdk.TaskRunning)
	a.state("ends", sdk.TaskRunning)
	a.awaitLog("killed", "ready")
	a.kill("killed", 2*time.Second)
	a.awaitLog("killed", "term")

	if err := unix.Kill(int(p.PID), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if e := <-l.Exits(); e.ContainerID != "ex1" || e.WaitStatus != int32(unix.SIGKILL) {
		t.Fatalf("the executor ended as %+v", e)
	}
	if err := os.WriteFile(gate+".fifo", []byte("go\n"), 0); err != nil { // ends without any executor
		t.Fatal(err)
	}
	a.startExecutor(l, "ex2")
	if end := a.end("ends"); end.Status.Message != "Command exited with status 7" {
		t.Errorf("ends is told as %+v", end.Status)
	}
	if !executor.Alive(*stays.Process) {
		t.Error("the task did not survive its executor")
	}
	if end := a.end("killed"); end.Status.State != sdk.TaskKilled || *end.WaitStatus != int32(unix.SIGKILL) {
		t.Errorf("killed is told as %+v", end.Status)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if end := a.end("stays"); *end.Process != *stays.Process || end.Status.Message != "Command exited with status 3" {
		t.Errorf("stays is told as %+v", end.Status)
	}
	if got := a.logOf("stays", "stdout"); got != "done\n" {
		t.Errorf("stays wrote %q", got)
	}
	ctx, cancel := contextFor(time.Second)
	defer cancel()
	if err := l.Forget(ctx, "ex1"); err != nil {
		t.Error(err)
	}
	a.quit(l, "ex2")
}
