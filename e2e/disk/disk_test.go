package disk

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mounted is a disk in a mount namespace of its own, and what runs functions in there.
func mounted(t *testing.T) (d *Disk, folder, at string, inside func(func() error) error) {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Getuid() != 0 {
		if os.Getenv("PROFFER_TEST_NOSKIP") != "" {
			t.Fatal("root and /dev/fuse are needed, and nothing may skip here")
		}
		t.Skip("needs root and /dev/fuse")
	}
	work, ended := make(chan func()), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // never unlocked: the thread and its namespace end here
		for f := range work {
			f()
		}
	}()
	t.Cleanup(func() { close(work); <-ended })
	inside = func(f func() error) error {
		done := make(chan error)
		work <- func() { done <- f() }
		return <-done
	}
	err := inside(func() error {
		return errors.Join(unix.Unshare(unix.CLONE_FS|unix.CLONE_NEWNS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	})
	if err != nil {
		t.Fatal(err)
	}
	folder, at = t.TempDir(), t.TempDir()
	d, err = Mount(Options{Folder: folder, At: at, Inside: inside, Follows: func(name string) bool { return !strings.HasPrefix(name, "free") }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, folder, at, inside
}

// TestFailedSync: what was written before a fsync that failed is there for the eye, and
// gone after a loss of power; what was synced before is still there.
func TestFailedSync(t *testing.T) {
	d, folder, at, inside := mounted(t)
	var failed error
	good, bad := 0, 0
	err := inside(func() error {
		f, err := os.Create(filepath.Join(at, "followed"))
		if err != nil {
			return err
		}
		_, err = f.WriteString("kept and kept")
		err = errors.Join(err, f.Sync())
		_, e := f.WriteAt([]byte("lost, longer than before"), 5)
		d.Fail(syscall.EIO)
		failed = f.Sync()
		good, bad = d.Syncs()
		d.Fail(0)
		seen, e2 := os.ReadFile(filepath.Join(at, "followed"))
		if string(seen) != "kept lost, longer than before" {
			e2 = errors.Join(e2, errors.New("before the loss it reads "+string(seen)))
		}
		return errors.Join(err, e, e2, f.Close())
	})
	if err != nil || !errors.Is(failed, syscall.EIO) {
		t.Fatalf("%v; the failing fsync: %v", err, failed)
	}
	if good != 0 || bad != 1 {
		t.Errorf("%d good and %d bad", good, bad)
	}
	if n, err := d.PowerLoss(); n != 1 || err != nil {
		t.Errorf("the loss changed %d files: %v", n, err)
	}
	for _, name := range []string{filepath.Join(folder, "followed"), filepath.Join(at, "followed")} {
		var text []byte
		err := inside(func() (err error) { text, err = os.ReadFile(name); return err })
		if err != nil || string(text) != "kept and kept" {
			t.Errorf("%s is %q: %v", name, text, err)
		}
	}
}

// TestFailedSyncIsNotMadeGood: what a fsync has failed to write is not written by the next
// one, unless it is written once more.
func TestFailedSyncIsNotMadeGood(t *testing.T) {
	d, folder, at, inside := mounted(t)
	err := inside(func() error {
		f, err := os.Create(filepath.Join(at, "followed"))
		if err != nil {
			return err
		}
		write := func(text string, at int64) {
			_, e := f.WriteAt([]byte(text), at)
			err = errors.Join(err, e)
		}
		write("0123456789", 0)
		err = errors.Join(err, f.Sync())
		write("abcdefghijklmno", 5) // over the end, too
		d.Fail(syscall.EIO)
		if f.Sync() == nil {
			err = errors.Join(err, errors.New("the fsync went well"))
		}
		d.Fail(0)
		write("H", 7)
		write("IJ", 8)
		write("tail", 20)
		return errors.Join(err, f.Sync(), f.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := d.PowerLoss(); n != 1 || err != nil {
		t.Errorf("the loss changed %d files: %v", n, err)
	}
	if text, err := os.ReadFile(filepath.Join(folder, "followed")); string(text) != "0123456HIJ"+strings.Repeat("\x00", 10)+"tail" || err != nil {
		t.Errorf("there is %q: %v", text, err)
	}
}

// TestCutAndDirectory: a new length is taken back as well, a file that is not followed is
// left alone, and a directory's fsync fails as a file's does.
func TestCutAndDirectory(t *testing.T) {
	d, folder, at, inside := mounted(t)
	var dir error
	err := inside(func() error {
		err := os.WriteFile(filepath.Join(at, "cut"), []byte("0123456789"), 0o600)
		f, e := os.OpenFile(filepath.Join(at, "cut"), os.O_RDWR, 0)
		if e != nil {
			return e
		}
		err = errors.Join(err, f.Sync(), f.Truncate(3), f.Truncate(6), f.Close())
		err = errors.Join(err, os.WriteFile(filepath.Join(at, "free"), []byte("free"), 0o600))
		d.Fail(syscall.EIO)
		open, e := os.Open(at)
		if e != nil {
			return e
		}
		dir = open.Sync()
		names, e := open.Readdirnames(-1)
		if len(names) != 2 {
			e = errors.Join(e, errors.New(strings.Join(names, " ")))
		}
		return errors.Join(err, e, open.Close())
	})
	if err != nil || !errors.Is(dir, syscall.EIO) {
		t.Errorf("%v; the directory's fsync: %v", err, dir)
	}
	if n, err := d.PowerLoss(); n != 1 || err != nil {
		t.Errorf("the loss changed %d files: %v", n, err)
	}
	for name, want := range map[string]string{"cut": "0123456789", "free": "free"} {
		if text, err := os.ReadFile(filepath.Join(folder, name)); string(text) != want || err != nil {
			t.Errorf("%s is %q: %v", name, text, err)
		}
	}
}

// TestSlowSync: a fsync takes as long as it is told to.
func TestSlowSync(t *testing.T) {
	d, _, at, inside := mounted(t)
	d.Slow(200 * time.Millisecond)
	var took time.Duration
	err := inside(func() error {
		f, err := os.Create(filepath.Join(at, "slow"))
		if err != nil {
			return err
		}
		began := time.Now()
		err = f.Sync()
		took = time.Since(began)
		return errors.Join(err, f.Close())
	})
	if err != nil || took < 200*time.Millisecond {
		t.Errorf("%v after %v", err, took)
	}
}
