package launcher

import (
	"context"
	"fmt"
	"log/slog"
	"net"
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

// The test binary is the launcher too, when sdk/executor.Spawn calls it so.
func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == "launcher" {
		l, err := New(Options{Runtime: os.Args[3], Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
		if err == nil {
			err = l.Run(context.Background())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func spawn(t *testing.T, dir string) *executor.Launcher {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l, err := executor.Spawn(deadline(t), self, filepath.Join(dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.Close()
		if t.Failed() {
			_ = unix.Kill(l.PID(), unix.SIGKILL)
		}
		if b, _ := os.ReadFile(filepath.Join(dir, "run", "launcher.log")); t.Failed() {
			t.Logf("launcher.log:\n%s", b)
		}
	})
	return l
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pl") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func spec(dir, id, script string) *sdk.LaunchSpec {
	return &sdk.LaunchSpec{Version: sdk.LaunchVersion, ContainerID: id, FrameworkID: "f1", ExecutorID: "e1",
		Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: dir,
		RuntimeDir: filepath.Join(dir, "run", executor.ContainersDir, id), LogDir: filepath.Join(dir, "logs", id)}
}

func exit(t *testing.T, l *executor.Launcher) executor.Exit {
	t.Helper()
	select {
	case e := <-l.Exits():
		return e
	case <-deadline(t).Done():
		t.Fatal("no end is told")
		panic("unreachable")
	}
}

func end(t *testing.T, l *executor.Launcher) {
	t.Helper()
	if err := l.Shutdown(deadline(t)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.Done():
	case <-deadline(t).Done():
		t.Fatal("the launcher does not end")
	}
}

func TestStartToForget(t *testing.T) {
	dir := shortDir(t)
	l := spawn(t, dir)
	p, err := l.Start(deadline(t), spec(dir, "c1", "echo out; exit 7"))
	if err != nil || p.PID <= 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	if e := exit(t, l); e.ContainerID != "c1" || e.Process != p || e.WaitStatus != 7<<8 {
		t.Errorf("the end is %+v", e)
	}
	if r, err := executor.ReadRecord(filepath.Join(dir, "run", executor.ContainersDir, "c1")); err != nil || r.Exit == nil || r.Exit.WaitStatus != 7<<8 {
		t.Errorf("the record is %+v, %v", r, err)
	}
	if _, end, err := logs.Bounds(filepath.Join(dir, "logs", "c1"), "stdout"); end != 4 || err != nil {
		t.Errorf("%d bytes of output, %v", end, err)
	}
	if _, err := l.Start(deadline(t), spec(dir, "c1", "true")); sdk.CodeOf(err) != sdk.CodeConflict {
		t.Errorf("a second start of a container: %v", err)
	}
	if _, err := l.Start(deadline(t), spec(dir, "c2", "true")); err != nil {
		t.Error(err)
	}
	exit(t, l)
	again := spawn(t, dir) // an agent that was restarted is told what is not forgotten
	told := map[string]bool{exit(t, again).ContainerID: true, exit(t, again).ContainerID: true}
	if !told["c1"] || !told["c2"] {
		t.Errorf("a new connection is told of %v", told)
	}
	for id := range told {
		if err := again.Forget(deadline(t), id); err != nil {
			t.Error(err)
		}
	}
	if all, err := again.List(deadline(t)); len(all) != 0 || err != nil {
		t.Errorf("still known: %v, %v", all, err)
	}
	end(t, again)
	left, _ := filepath.Glob(filepath.Join(dir, "run", executor.ContainersDir, "*", "std*"))
	if len(left) > 0 {
		t.Errorf("FIFOs are left: %v", left)
	}
}

func TestFailedStartIsNamed(t *testing.T) {
	dir := shortDir(t)
	l := spawn(t, dir)
	s := spec(dir, "c1", "")
	s.Path = "/no/such/program"
	if _, err := l.Start(deadline(t), s); err == nil || !strings.Contains(err.Error(), "/no/such/program: no such file") {
		t.Errorf("the error is %v", err)
	}
	if err := l.Signal(deadline(t), "c9", unix.SIGTERM); sdk.CodeOf(err) != sdk.CodeNotFound {
		t.Errorf("a signal to nobody: %v", err)
	}
	end(t, l)
}

func TestOneLauncherForOneDirectory(t *testing.T) {
	dir := shortDir(t)
	l := spawn(t, dir)
	_, err := New(Options{Runtime: filepath.Join(dir, "run"), Log: slog.New(slog.DiscardHandler)})
	if sdk.CodeOf(err) != sdk.CodeConflict || !strings.Contains(err.Error(), "another one serves already") {
		t.Errorf("a second launcher: %v", err)
	}
	end(t, l)
}

// An upgrade keeps the children, their pids, and the subreaper's inheritance.
func TestUpgradeKeepsChildren(t *testing.T) {
	dir := shortDir(t)
	l := spawn(t, dir)
	gate := filepath.Join(dir, "gate")
	if err := unix.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := l.Start(deadline(t), spec(dir, "c1", "echo before; (sleep 0.05 &); read x < "+gate+"; echo after; exit 7"))
	if err != nil {
		t.Fatal(err)
	}
	pid := l.PID()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Upgrade(deadline(t), self); err != nil {
		t.Fatal(err)
	}
	<-l.Done()
	l = spawn(t, dir)
	if l.PID() != pid {
		t.Errorf("process %d upgraded into process %d", pid, l.PID())
	}
	all, err := l.List(deadline(t))
	if err != nil || len(all) != 1 || *all[0].Process != p || !all[0].Child {
		t.Fatalf("after the upgrade it knows %+v, %v", all, err)
	}
	if err := os.WriteFile(gate, []byte("go\n"), 0); err != nil {
		t.Fatal(err)
	}
	if e := exit(t, l); e.WaitStatus != 7<<8 || !e.Known {
		t.Errorf("the end is %+v", e)
	}
	if _, end, _ := logs.Bounds(filepath.Join(dir, "logs", "c1"), "stdout"); end != int64(len("before\nafter\n")) {
		t.Errorf("%d bytes of output", end)
	}
	if err := l.Upgrade(deadline(t), "/no/such/binary"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.List(deadline(t)); err != nil { // it goes on
		t.Error(err)
	}
	if err := l.Forget(deadline(t), "c1"); err != nil {
		t.Error(err)
	}
	end(t, l)
}

// P21: what is not the protocol ends that connection and nothing else.
func TestHostileConnections(t *testing.T) {
	dir := shortDir(t)
	l := spawn(t, dir)
	for _, bytes := range []string{"garbage\n", "9999999999\n", "5\n\xc1\xc1\xc1\xc1\xc1", "2\n\x81\x01", ""} {
		c, err := net.Dial("unix", filepath.Join(dir, "run", executor.LauncherSocket))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(bytes)); err != nil {
			t.Error(err)
		}
		_ = c.Close()
	}
	if _, err := l.List(deadline(t)); err != nil {
		t.Error(err)
	}
	if os.Getuid() == 0 {
		refuseStranger(t, dir)
	}
	end(t, l)
}

// refuseStranger connects as another user, to a socket that somebody opened up.
func refuseStranger(t *testing.T, dir string) {
	t.Helper()
	socket := filepath.Join(dir, "run", executor.LauncherSocket)
	for path, mode := range map[string]os.FileMode{dir: 0o755, filepath.Join(dir, "run"): 0o755, socket: 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	stranger := spec(dir, "stranger", `exec python3 -c '
import socket
s = socket.socket(socket.AF_UNIX)
s.connect("`+socket+`")
s.settimeout(10)
print("answer", s.recv(1))'`)
	stranger.RuntimeDir = filepath.Join(dir, "elsewhere")
	stranger.SetIDs, stranger.UID, stranger.GID = true, 65534, 65534
	s, err := executor.Start(stranger)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	poll := []unix.PollFd{{Fd: int32(s.PIDFD), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(poll, 20_000); err != unix.EINTR {
			break
		}
	}
	buf := make([]byte, 1000)
	n, _ := unix.Read(s.Stdout, buf)
	if got := string(buf[:max(n, 0)]); got != "answer b''\n" {
		n, _ := unix.Read(s.Stderr, buf)
		if strings.Contains(string(buf[:max(n, 0)]), "python3: not found") {
			t.Log("needs python3")
		} else {
			t.Errorf("a stranger gets %q, stderr %q", got, buf[:max(n, 0)])
		}
	}
	_ = executor.Reap(int(s.Process.PID))
}
