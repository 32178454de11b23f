package checker

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// box is a task that is not really there: only its specification is.
type box struct {
	t    *testing.T
	spec sdk.LaunchSpec
}

func newBox(t *testing.T) *box {
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // another user must come in
		t.Fatal(err)
	}
	for _, d := range []string{"sandbox", "run"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &box{t, sdk.LaunchSpec{Version: sdk.LaunchVersion, ContainerID: "c1", FrameworkID: "f1", ExecutorID: "e1", TaskID: "t1",
		Path: "/bin/false", Env: []string{"PATH=/usr/bin:/bin", "A=task", "B=task"}, Dir: filepath.Join(dir, "sandbox"),
		RuntimeDir: filepath.Join(dir, "run"), LogDir: filepath.Join(dir, "log")}}
}

func (b *box) check(timeout time.Duration, cmd sdk.CommandInfo) error {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), timeout)
	defer cancel()
	err := New("").Check(ctx, &sdk.HealthCheck{Type: sdk.HealthCheckCommand, Command: &cmd},
		Task{Index: 3, Spec: func() (*sdk.LaunchSpec, error) { return &b.spec, nil }})
	if left, _ := filepath.Glob(b.spec.RuntimeDir + "/*"); len(left) > 0 {
		b.t.Errorf("a check leaves %v", left)
	}
	return err
}

func sh(script string) sdk.CommandInfo { return sdk.CommandInfo{Value: script} }

func TestCommand(t *testing.T) {
	b := newBox(t)
	const patience = 20 * time.Second
	wants(t, b.check(patience, sh("true")), "")
	wants(t, b.check(patience, sh("echo no such table; exit 3")), "exited with status 3: no such table")
	wants(t, b.check(patience, sh("kill -9 $$")), "ended by signal 9")
	wants(t, b.check(patience, sh("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2")), "") // does not block on its output
	shell := false
	wants(t, b.check(patience, sdk.CommandInfo{Shell: &shell, Value: "no-such-program"}), "cannot be started")
	wants(t, b.check(patience, sdk.CommandInfo{Shell: &shell, Value: "test", Arguments: []string{"test", "1", "=", "2"}}), "status 1")

	// It runs where its task runs, with the task's environment and its own.
	cmd := sh("echo $PWD $A $B > here")
	cmd.Environment = &sdk.Environment{Variables: []sdk.Variable{{Name: "B", Value: "check"}}}
	wants(t, b.check(patience, cmd), "")
	got, err := os.ReadFile(filepath.Join(b.spec.Dir, "here"))
	if want := b.spec.Dir + " task check\n"; err != nil || string(got) != want {
		t.Errorf("it ran with %q, %v; want %q", got, err, want)
	}
	if _, err := os.Stat(b.spec.LogDir); err == nil {
		t.Error("the check wrote into the task's logs")
	}
}

// TestCommandTimeOut: a check that hangs is killed, with the children it has.
func TestCommandTimeOut(t *testing.T) {
	b := newBox(t)
	err := b.check(300*time.Millisecond, sh(`trap "" TERM; sleep 600 & echo $! > child; echo waiting; wait; sleep 600`))
	wants(t, err, "no result within")
	wants(t, err, "waiting")
	child, err := os.ReadFile(filepath.Join(b.spec.Dir, "child"))
	if err != nil {
		t.Fatal(err)
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(child)))
	for late := time.After(20 * time.Second); alive(pid); {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-late:
			t.Fatalf("process %d of the check lives on", pid)
		}
	}
}

// alive tells whether there is such a process, and not only what is left of it.
func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// TestCleanEndsWhatAPredecessorLeft: its record tells which process it was.
func TestCleanEndsWhatAPredecessorLeft(t *testing.T) {
	b := newBox(t)
	dir := filepath.Join(b.spec.RuntimeDir, dirPrefix+"3")
	cmd := sh("sleep 600")
	s, err := executor.Start(specOf(&b.spec, &cmd, dir, 3))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := Clean(b.spec.RuntimeDir); err != nil {
		t.Fatal(err)
	}
	if executor.Alive(s.Process) {
		t.Error("the check of a dead executor lives on")
	}
	wants(t, b.check(20*time.Second, sh("true")), "")
}

// TestCommandRunsAsTheTasksUser needs root, to become another.
func TestCommandRunsAsTheTasksUser(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("PROFFER_TEST_NOSKIP") != "" {
			t.Fatal("needs root to become another user, and PROFFER_TEST_NOSKIP forbids to skip")
		}
		t.Skip("needs root to become another user")
	}
	b := newBox(t)
	b.spec.SetIDs, b.spec.UID, b.spec.GID = true, 65534, 65534
	wants(t, b.check(20*time.Second, sh("echo I am $(id -u):$(id -g); exit 1")), "I am 65534:65534")
}
