package supervise

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk/executor"
	"github.com/profferhq/proffer/sdk/logs"
)

func skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("PROFFER_TEST_NOSKIP") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// smallDisk mounts a tmpfs of 256 KiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		skip(t, "needs root, to mount a small tmpfs: "+err.Error())
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// container makes the FIFOs of a container; the writers play its process.
func container(t *testing.T, d *Drain, name, logDir string) (*Output, *os.File) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var fds [2]int
	for i, stream := range []string{"stdout", "stderr"} {
		if err := unix.Mkfifo(filepath.Join(dir, stream), 0o600); err != nil {
			t.Fatal(err)
		}
		fd, err := executor.OpenFIFO(dir, stream)
		if err != nil {
			t.Fatal(err)
		}
		fds[i] = fd
	}
	w, err := os.OpenFile(filepath.Join(dir, "stdout"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return d.Add(dir, logDir, logs.Limits{}, fds[0], fds[1]), w
}

func content(t *testing.T, dir string) string {
	t.Helper()
	r, err := logs.NewReader(dir, "stdout", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// eventually asks again and again until it holds, 20 s at the most.
func eventually(t *testing.T, what string, ok func() bool) {
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

// P7, F10: a task that fills the disk blocks on its own FIFO; the others go on, its
// end is told, and when there is room again nothing is missing.
func TestFullDiskHoldsOneTaskOnly(t *testing.T) {
	d, err := NewDrain(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	disk, other := smallDisk(t), t.TempDir()
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 128<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	full, in := container(t, d, "full", disk)
	_, in2 := container(t, d, "other", other)
	want := bytes.Repeat([]byte("0123456789abcde\n"), 170<<10/16) // more than fits, less than fits with the FIFO
	wrote := make(chan error, 1)
	go func() {
		_, err := in.Write(want)
		wrote <- err
	}()
	eventually(t, "the disk is full", func() bool {
		var st unix.Statfs_t
		return unix.Statfs(disk, &st) == nil && st.Bfree == 0
	})
	if _, err := in2.WriteString("alive\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another task's output", func() bool { return content(t, other) == "alive\n" })
	flushed := make(chan struct{})
	d.Flush(full, func() { close(flushed) })
	select {
	case <-flushed:
	case <-time.After(10 * time.Second):
		t.Fatal("a full disk holds up the end of a task")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	d.Finish(full)
	eventually(t, "the rest of the output", func() bool { return len(content(t, disk)) == len(want) })
	if content(t, disk) != string(want) {
		t.Error("the output was changed on its way")
	}
	eventually(t, "the FIFO is gone", func() bool {
		_, err := os.Stat(in.Name())
		return os.IsNotExist(err)
	})
}

func TestFinishTakesTheLastByte(t *testing.T) {
	before := descriptors(t)
	d, err := NewDrain(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out, in := container(t, d, "c", dir)
	text := strings.Repeat("x", 60_000)
	if _, err := in.WriteString(text); err != nil {
		t.Fatal(err)
	}
	_ = in.Close()
	d.Finish(out)
	eventually(t, "the FIFO is gone", func() bool {
		_, err := os.Stat(in.Name())
		return os.IsNotExist(err)
	})
	if content(t, dir) != text {
		t.Errorf("%d of %d bytes", len(content(t, dir)), len(text))
	}
	d.Close()
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
