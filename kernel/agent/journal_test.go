package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/agent/checkpoint"
	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
)

// A disk without space is waited for; one whose fsync has failed is not, whatever it says.
func TestFullIsNotBroken(t *testing.T) {
	enospc := fmt.Errorf("write the checkpoint: %w", &os.PathError{Op: "write", Path: "/d", Err: syscall.ENOSPC})
	if !full(enospc) || full(nil) || full(syscall.EIO) || full(fmt.Errorf("store: %w", &checkpoint.Broken{File: "/d/ledger", Err: enospc})) {
		t.Error("it is told wrongly")
	}
}

// fullJournal is one on a disk without a free byte.
func fullJournal(t *testing.T) (j *journal, dir, ballast string) {
	t.Helper()
	dir = smallDisk(t, "8m")
	j, err := openJournal(dir, slog.New(slog.NewTextHandler(t.Output(), nil)), ledger.New(ledger.DefaultOptions()))
	if err != nil {
		t.Fatal(err)
	}
	ballast = filepath.Join(dir, "ballast")
	j.reserve.release()
	if err := os.WriteFile(ballast, make([]byte, 16<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	return j, dir, ballast
}

func facts(n int) (rs []ledger.Record) {
	for i := range n {
		rs = append(rs, ledger.Record{Framework: &ledger.FrameworkRecord{Info: sdk.FrameworkInfo{ID: sdk.FrameworkID(fmt.Sprintf("f%d", i)), Name: strings.Repeat("x", 100)}}})
	}
	return rs
}

// An agent that waits for space can be stopped, and then says what it had waited for.
func TestAFullDiskDoesNotKeepAnAgent(t *testing.T) {
	j, dir, _ := fullJournal(t)
	quit := make(chan struct{})
	j.quit = quit
	done := make(chan error)
	go func() { done <- j.store(facts(1000)) }()
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(quit)
	select {
	case err := <-done:
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), dir) {
			t.Errorf("it said %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
	if err := j.close(); err != nil {
		t.Error(err)
	}
}

// A checkpoint that can not be written anew for want of space goes on as it is, and what
// was to be stored with the next record still is.
func TestCompactionOnAFullDisk(t *testing.T) {
	j, dir, ballast := fullJournal(t)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	l := ledger.New(ledger.DefaultOptions())
	rs := facts(200)
	for i := range rs {
		if err := l.Restore(&rs[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.store(rs); err != nil {
		t.Fatal(err)
	}
	_ = os.WriteFile(ballast, make([]byte, 16<<20), 0o600)
	j.add([]ledger.Record{{Gone: &ledger.FrameworkGone{ID: "f1"}}})
	j.appended = compactAfter
	if err := j.compact(l); err != nil {
		t.Fatalf("the agent would end: %v", err)
	}
	if len(j.late) != 1 || j.appended != compactAfter {
		t.Errorf("%d late, %d appended", len(j.late), j.appended)
	}
	if err := errors.Join(os.Remove(ballast), j.close()); err != nil {
		t.Fatal(err)
	}
	again, err := openJournal(dir, j.slog, ledger.New(ledger.DefaultOptions()))
	if err != nil {
		t.Fatal(err)
	}
	if again.appended != 201 {
		t.Errorf("%d records are there", again.appended)
	}
	if err := again.close(); err != nil {
		t.Error(err)
	}
}

// A damaged checkpoint for whose rewriting there was no space is written anew when some
// more was told and there is, not never.
func TestADamagedCheckpointIsWrittenAnewLater(t *testing.T) {
	j, _, ballast := fullJournal(t)
	l := ledger.New(ledger.DefaultOptions())
	rs := facts(200)
	for i := range rs {
		if err := l.Restore(&rs[i]); err != nil {
			t.Fatal(err)
		}
	}
	j.anew, j.appended = true, len(rs)
	compact := func(want int) {
		t.Helper()
		if err := j.compact(l); err != nil || j.appended != want {
			t.Errorf("%d records are in the log, want %d: %v", j.appended, want, err)
		}
	}
	compact(len(rs)) // the disk is full
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	compact(len(rs)) // and is not tried at each tick
	j.appended += anewAfter
	compact(0)
	j.appended = len(rs)
	compact(len(rs)) // once is enough
	if err := j.close(); err != nil {
		t.Error(err)
	}
}
