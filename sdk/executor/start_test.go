package executor

import (
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// testSpec is a specification of `/bin/sh -c script` below a temporary directory.
func testSpec(t testing.TB, script string) *sdk.LaunchSpec {
	t.Helper()
	dir := t.TempDir()
	id := filepath.Base(filepath.Dir(dir)) + "-" + filepath.Base(dir)
	return &sdk.LaunchSpec{
		Version: sdk.LaunchVersion, ContainerID: id, FrameworkID: "f1", ExecutorID: "e1", TaskID: "t1",
		Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Dir: dir,
		RuntimeDir: filepath.Join(dir, "run", "containers", id), LogDir: filepath.Join(dir, "logs", id),
	}
}

// await waits for the end of a started process and reaps it.
func await(t testing.TB, s *Started) int32 {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(s.PIDFD), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 20_000)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n != 1 {
			t.Fatalf("the process did not end: %d, %v", n, err)
		}
		break
	}
	status, ok, err := Peek(int(s.Process.PID))
	if err != nil || !ok {
		t.Fatalf("peek: %v, %v", ok, err)
	}
	if err := Reap(int(s.Process.PID)); err != nil {
		t.Fatal(err)
	}
	return status
}

// output is what the process has written to a FIFO.
func output(t testing.TB, fd int) string {
	t.Helper()
	var all []byte
	buf := make([]byte, 1<<16)
	for {
		n, err := unix.Read(fd, buf)
		if err == unix.EAGAIN {
			return string(all)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, buf[:n]...)
	}
}

func TestStartRunsTheProgram(t *testing.T) {
	spec := testSpec(t, `echo out; echo err >&2; cat; echo again > /dev/stdout; exit 7`)
	s, err := Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := syscall.WaitStatus(await(t, s)).ExitStatus(); got != 7 {
		t.Errorf("exit status %d, want 7", got)
	}
	if got := output(t, s.Stdout); got != "out\nagain\n" {
		t.Errorf("stdout is %q", got)
	}
	if got := output(t, s.Stderr); got != "err\n" {
		t.Errorf("stderr is %q", got)
	}
	r, err := ReadRecord(spec.RuntimeDir)
	if err != nil {
		t.Fatal(err)
	}
	if r.Process != s.Process || !r.Began || r.Exit != nil || r.Spec.ContainerID != spec.ContainerID {
		t.Errorf("the record tells %+v, began %v, exit %v", r.Process, r.Began, r.Exit)
	}
}
