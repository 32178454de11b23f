package logs

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary plays the drainer that is killed and the task that writes.
func TestMain(m *testing.M) {
	switch os.Getenv("PROFFER_TEST_PART") {
	case "drain":
		playDrain()
	case "task":
		playTask()
	default:
		os.Exit(m.Run())
	}
}

func playDrain() {
	fd, err := unix.Open(os.Getenv("FIFO"), unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		panic(err)
	}
	w := NewWriter(os.Getenv("LOGS"), "stdout", Limits{Bytes: 1 << 20, Files: 1 << 20})
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(poll, -1); err != nil && err != unix.EINTR {
			panic(err)
		}
		if _, err := w.Splice(fd, 1<<20); err != nil && err != unix.EAGAIN {
			panic(err)
		}
	}
}

// playTask writes numbered records at full speed until the gate is there.
func playTask() {
	out := bufio.NewWriterSize(os.Stdout, 4000)
	for i := 0; ; i++ {
		fmt.Fprintf(out, "%09d record\n", i)
		if i%1000 == 0 {
			if _, err := os.Stat(os.Getenv("GATE")); err == nil {
				fmt.Fprintf(out, "end %d\n", i+1)
				if err := out.Flush(); err != nil {
					panic(err)
				}
				os.Exit(3)
			}
		}
	}
}

// P8: twenty kills of whoever drains, the task writing at full speed: no byte is
// lost, none doubled, and the task does not notice.
func TestNoByteIsLostInTwentyKills(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path, gate, files := filepath.Join(dir, "stdout"), filepath.Join(dir, "gate"), filepath.Join(dir, "logs")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	part := func(name string) *exec.Cmd {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "PROFFER_TEST_PART="+name, "FIFO="+path, "LOGS="+files, "GATE="+gate)
		cmd.Stderr = os.Stderr
		return cmd
	}
	task := part("task")
	task.Stdout = stdout
	if err := task.Start(); err != nil {
		t.Fatal(err)
	}
	// The agent holds the FIFO too: with nobody there for an instant, the last
	// output of a task that ended would be gone.
	defer stdout.Close()
	for range 20 {
		drain := part("drain")
		if err := drain.Start(); err != nil {
			t.Fatal(err)
		}
		growing(t, files)
		_ = drain.Process.Kill()
		_ = drain.Wait()
	}
	last := part("drain")
	if err := last.Start(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := task.Wait(); err == nil || task.ProcessState.ExitCode() != 3 {
		t.Errorf("the task ended as %v", err)
	}
	check(t, files)
	_ = last.Process.Kill()
	_ = last.Wait()
}

// growing waits until the drainer has moved something, and a random bit longer.
func growing(t *testing.T, files string) {
	t.Helper()
	_, before, _ := Bounds(files, "stdout")
	for late := time.After(20 * time.Second); ; {
		select {
		case <-time.After(time.Duration(1+time.Now().UnixNano()%20) * time.Millisecond):
		case <-late:
			t.Fatal("the log does not grow")
		}
		if _, end, _ := Bounds(files, "stdout"); end > before {
			return
		}
	}
}

// check reads the log until its last line and sees each record once, in order.
func check(t *testing.T, files string) {
	t.Helper()
	r, err := NewReader(files, "stdout", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	in := bufio.NewReader(patient{r, time.After(20 * time.Second)})
	for i := 0; ; i++ {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("after %d records: %v", i, err)
		}
		if line == fmt.Sprintf("end %d\n", i) {
			t.Logf("%d records, %d bytes", i, r.Offset())
			return
		}
		if line != fmt.Sprintf("%09d record\n", i) {
			t.Fatalf("record %d is %q", i, line)
		}
	}
}

// patient waits for what is not there yet.
type patient struct {
	r        io.Reader
	deadline <-chan time.Time
}

func (p patient) Read(b []byte) (int, error) {
	for {
		n, err := p.r.Read(b)
		if n > 0 || err != io.EOF {
			return n, err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-p.deadline:
			return 0, err
		}
	}
}
