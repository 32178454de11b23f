package master

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// within gives what f gives, which must not take long.
func within(t *testing.T, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: nothing comes back", what)
		return nil
	}
}

// A master whose disk is full before it serves says so; at whichever of its first writes
// that comes, it does not wait for ever.
func TestFullDiskAtTheStart(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("PROFFER_TEST_NOSKIP") != "" {
			t.Fatal("root is needed, and nothing may skip here")
		}
		t.Skip("needs root to mount small disks")
	}
	full, good := 0, 0
	for pages := 5; pages < 24; pages++ {
		dir := t.TempDir()
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dk,mode=755", 4*pages)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		var m *Master
		err := within(t, fmt.Sprintf("with room for %d pages", pages), func() (err error) { m, err = New(LocalOptions(dir)); return err })
		switch {
		case err == nil:
			good++
			_ = within(t, "Close", m.Close)
		case strings.Contains(err.Error(), "no space left on device"):
			full++
		default:
			t.Errorf("with room for %d pages: %v", pages, err)
		}
	}
	if full == 0 || good == 0 {
		t.Errorf("%d were full and %d not: nothing was tested", full, good)
	}
}

// A disk that fails while a master stops, or before it serves, ends it too: what waits for
// the disk is not waited for.
func TestFailedDiskIsNotWaitedFor(t *testing.T) {
	m, err := New(LocalOptions(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go m.die(errors.New("no space left on device")) // never returns, as the log must not
	err = within(t, "the stop", func() error {
		return m.alive(func() error { <-ctx.Done(); return nil })
	})
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("it gave %v", err)
	}
	cancel()
	_ = m.Close()
}
