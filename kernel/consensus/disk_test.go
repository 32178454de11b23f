package consensus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// slowWrite has the disk of a node stand still, from its return until release is called.
func slowWrite(n *Node) (release func()) {
	stands, gate, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		_ = n.store.update("slow write", func(*bolt.Tx) error { close(stands); <-gate; return nil })
	}()
	<-stands
	return sync.OnceFunc(func() { close(gate); <-over })
}

// A leader whose disk stands still hands over; a follower whose disk does is let be.
func TestLeaderWithASlowDiskHandsOver(t *testing.T) {
	first := join(t, "m1", t.TempDir(), bootstrapped, nil, nil)
	awaitTerm(t, first.Node)
	second := join(t, "m2", t.TempDir(), nil, []string{first.addr}, nil)
	third := join(t, "m3", t.TempDir(), nil, []string{first.addr}, nil)
	until(t, "three vote", func() bool { return len(strings.Fields(votersOf(first.Node))) == 3 })
	until(t, "the registry knows them", func() bool { return second.told(second.opts.Member) && second.told(third.opts.Member) })
	leads := func(n *joining) bool { return n.leadsOthers() }
	release := slowWrite(second.Node)
	if _, err := first.Propose(bounded(t), weight("a", 7)); err != nil {
		t.Errorf("a write beside a follower whose disk stands still: %v", err)
	}
	second.slow(slowElections)
	release()
	if !leads(first) || strings.Contains(second.log.String(), "disk is slow") {
		t.Errorf("a follower's slow disk changed something: %s", second.log)
	}
	release = slowWrite(first.Node)
	defer release()
	gone := make(chan error)
	go func() {
		_, err := first.Propose(t.Context(), weight("b", 7)) // keeps raft's own loop at the disk
		gone <- err
	}()
	until(t, "another leads while the disk stands still", func() bool { return leads(second) || leads(third) })
	until(t, "the old one knows that", func() bool { return !leads(first) && first.deposed() == nil })
	until(t, "it knows who does", func() bool {
		name, _, ok := first.Leader()
		return ok && (name == "m2" && leads(second) || name == "m3" && leads(third))
	})
	if err := <-gone; err == nil {
		t.Error("what waited for the disk was confirmed")
	}
	if !strings.Contains(first.log.String(), "disk is slow") || !first.silent.Load() {
		t.Errorf("it said: %s", first.log)
	}
	release()
	until(t, "it speaks again", func() bool { return !first.silent.Load() })
	leader := second
	if leads(third) {
		leader = third
	}
	if _, err := leader.Propose(bounded(t), weight("c", 7)); err != nil {
		t.Error(err)
	}
	until(t, "it follows", func() bool { return weightOf(first.Node, "c") == 7 })
}

// What is counted is turns of the timer while one write goes on.
func TestWatchCountsOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []int
		var mu sync.Mutex
		over := 0
		w := &watch{every: time.Second, tell: func(n int) { mu.Lock(); told = append(told, n); mu.Unlock() }, over: func() { over++ }}
		w.begin()() // a fast one
		for range 2 {
			end := w.begin()
			<-time.After(2500 * time.Millisecond)
			end()
			<-time.After(time.Minute)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(told) != 4 || told[1] != 2 || told[2] != 1 || over != 2 {
			t.Errorf("told %v, and %d times that it is over", told, over)
		}
	})
}

func TestDiskSentences(t *testing.T) {
	for errno, want := range map[syscall.Errno]string{syscall.ENOSPC: "make room in /d/raft", syscall.EIO: "the disk of /d/raft"} {
		err := diskFailed("/d/raft/raft.db", "log entries", errno).Error()
		for _, part := range []string{want, errno.Error(), "/d/raft/raft.db", "nothing else", "start it again"} {
			if !strings.Contains(err, part) {
				t.Errorf("lacks %q: %s", part, err)
			}
		}
	}
}

// A snapshot for which there is no room is told and leaves nothing, now or after a crash;
// the log goes on.
func TestSnapshotOnAFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("PROFFER_TEST_NOSKIP") != "" {
			t.Fatal("root is needed, and nothing may skip here")
		}
		t.Skip("needs root to mount a small disk")
	}
	dir := t.TempDir()
	snaps := filepath.Join(dir, "snapshots")
	crashed := filepath.Join(snaps, "1-1-1"+unfinished)
	if err := errors.Join(os.MkdirAll(snaps, 0o700), unix.Mount("tmpfs", snaps, "tmpfs", 0, "size=16k,mode=700"), os.Mkdir(crashed, 0o700)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(snaps, unix.MNT_DETACH) })
	n := join(t, "m1", dir, bootstrapped, nil, nil)
	awaitTerm(t, n.Node)
	for i := range 200 {
		if _, err := n.Propose(bounded(t), weight(fmt.Sprintf("a role with a name that is long enough to fill the disk %0100d", i), 7)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := n.Snapshot(bounded(t)); err == nil {
			t.Error("there was room")
		}
	}
	if left, err := os.ReadDir(snaps); len(left) > 0 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
	if text := n.log.String(); !strings.Contains(text, "no space left on device") || !strings.Contains(text, "its log grows") || !strings.Contains(text, snaps) {
		t.Errorf("it said:\n%s", text)
	}
	if _, err := n.Propose(bounded(t), weight("after", 7)); err != nil {
		t.Error(err)
	}
}

// A leader that is deposed while it waits for its disk knows that before the disk is back,
// and so do those who wait for it.
func TestDeposedBehindASlowDisk(t *testing.T) {
	first := join(t, "m1", t.TempDir(), bootstrapped, nil, nil)
	awaitTerm(t, first.Node)
	second := join(t, "m2", t.TempDir(), nil, []string{first.addr}, nil)
	until(t, "two vote", func() bool { return len(strings.Fields(votersOf(first.Node))) == 2 && first.leadsOthers() })
	term := awaitTerm(t, first.Node) // of the cluster's time-outs
	until(t, "the registry knows it", func() bool { return second.told(second.opts.Member) })
	lost := first.deposed()
	release := slowWrite(first.Node)
	defer release()
	inst, err := first.instance()
	if err != nil {
		t.Fatal(err)
	}
	inst.raft.LeadershipTransfer() // the other's request for a vote waits for the disk
	for _, ends := range []<-chan struct{}{term.Lost, lost} {
		select {
		case <-ends:
		case <-bounded(t).Done():
			t.Fatal("it does not know that it leads no longer")
		}
	}
	if first.deposed() != nil {
		t.Error("it may be deposed once more")
	}
}

// A lone master whose disk stands still answers: a write on its way with CodeUnknown, one
// that waits for it as not done, many of the registry's together in the time for one, and
// who leads at once, also while raft is started anew, which waits for the disk.
func TestALoneMasterAnswersBesideItsDisk(t *testing.T) {
	n := lone(t, "c")
	release := slowWrite(n)
	defer release()
	for _, row := range []struct {
		code sdk.Code
		part string
	}{{sdk.CodeUnknown, "may still be done"}, {sdk.CodeUnavailable, "nothing was done"}} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := n.ProposeStore(ctx, putCommand("a", "1"))
		cancel()
		if sdk.CodeOf(err) != row.code || !strings.Contains(err.Error(), row.part) {
			t.Errorf("%v, which should be %s and say %q", err, row.code, row.part)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	if _, err := n.ProposeBatch(ctx, slices.Repeat([]registry.Command{weight("a", 7)}, 100)); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("a hundred commands: %v after %v", err, time.Since(began))
	}
	resigned := make(chan error, 1)
	go func() { resigned <- n.Resign(t.Context()) }()
	until(t, "raft is being started anew", func() bool {
		free := n.mu.TryRLock()
		if free {
			n.mu.RUnlock()
		}
		return !free
	})
	told := make(chan bool, 1)
	go func() { _, _, ok := n.Leader(); told <- ok }()
	select {
	case ok := <-told:
		if ok {
			t.Error("it leads while raft is started anew")
		}
	case <-bounded(t).Done():
		t.Error("who leads is not told beside a disk that stands still")
	}
	release()
	if err := <-resigned; err != nil {
		t.Error(err)
	}
}
