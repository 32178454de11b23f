package consensus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
)

// An instance of raft that ends under many who write leaves nobody without an answer: they
// hear in time that it has ended, the store is written to again by the next one, and a
// master can stop.
func TestNothingWaitsForAnEndedInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := DefaultOptions()
		o.Name, o.Dir, o.Bootstrap, o.Log = "m1", memoryDir(t), true, slog.New(slog.DiscardHandler)
		o.Fatal = func(err error) { t.Errorf("fatal: %v", err) }
		n, err := newNode(o, nil, new(atomic.Bool), func() raft.Transport {
			_, trans := raft.NewInmemTransport("m1")
			trans.Connect("m1", trans)
			return trans
		})
		if err != nil {
			t.Fatal(err)
		}
		write := func(key string) error {
			_, err := n.ProposeStore(t.Context(), putCommand(key, key))
			return err
		}
		propose := func(role string) error {
			_, err := n.Propose(t.Context(), weight(role, 1))
			return err
		}
		<-n.Leading()
		m := &registry.Member{Name: "m1", Command: 1, Store: store.CommandVersion}
		if r, err := n.Propose(t.Context(), registry.Command{Type: registry.CommandMember, Member: m}); err != nil || r.Err != nil {
			t.Fatal(err, r.Err)
		}
		for round := range 60 {
			var all sync.WaitGroup
			var done atomic.Int64
			var enough atomic.Bool
			busy := make(chan struct{})
			for i := range 24 {
				all.Go(func() {
					do := write
					if i%2 == 0 {
						do = propose
					}
					for do(fmt.Sprintf("k%d", i)) == nil && !enough.Load() {
						if done.Add(1) == 100 {
							close(busy)
						}
					}
				})
			}
			<-busy
			if round%3 == 2 {
				began := time.Now()
				if err := n.Close(); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > o.Many.Election {
					t.Errorf("it took %v to stop", took)
				}
				enough.Store(true)
				all.Wait()
				o.Bootstrap = false
				if n, err = newNode(o, nil, new(atomic.Bool), n.dial); err != nil {
					t.Fatal(err)
				}
			} else if err := n.Resign(t.Context()); err != nil {
				t.Fatal(err)
			}
			enough.Store(true)
			all.Wait()
			<-n.Leading()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := n.Barrier(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := n.ProposeStore(ctx, putCommand("after", "")); err != nil {
				t.Fatalf("round %d: after it the store can not be written: %v", round, err)
			}
			cancel()
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
}

// What raft never answers holds up an end for its patience, and who waits hears of the end.
func TestAnEndIsHeardWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &instance{over: make(chan struct{})}
		never := make(chan struct{})
		r, err := i.ask(func() raft.Future { return call(func() error { <-never; return nil }) })
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if i.settle(3*time.Second) || time.Since(began) != 3*time.Second {
			t.Errorf("it is settled after %v", time.Since(began))
		}
		if _, err := i.ask(func() raft.Future { t.Error("it was asked"); return nil }); !errors.Is(err, errEnding) {
			t.Errorf("a request at the end: %v", err)
		}
		close(i.over)
		if err := i.answer(r); !errors.Is(err, raft.ErrRaftShutdown) {
			t.Errorf("the answer is %v", err)
		}
		close(never)
	})
}

// unlisted are snapshots on a disk that can not be read.
type unlisted struct{ raft.SnapshotStore }

func (unlisted) List() ([]*raft.SnapshotMeta, error) { return nil, syscall.EIO }

// Who gives up a leadership does not end the next one, which began while it waited; and a
// master whose raft does not start again is of no use.
func TestResignEndsOneLeadership(t *testing.T) {
	var fatal atomic.Pointer[error]
	o := testOptions(t, "m1", memoryDir(t))
	o.Bootstrap, o.Fatal = true, func(err error) { fatal.Store(&err) }
	n := startNode(t, o)
	awaitTerm(t, n)
	first := n.inst
	if err := n.renew(first); err != nil {
		t.Fatal(err)
	}
	next := n.inst
	if err := n.renew(first); err != nil || next == first || n.inst != next {
		t.Errorf("the next instance was ended too: %v", err)
	}
	awaitTerm(t, n)
	if fatal.Load() != nil {
		t.Errorf("fatal: %v", *fatal.Load())
	}
	n.snaps = unlisted{n.snaps}
	if err := n.Resign(t.Context()); err == nil || fatal.Load() == nil || !strings.Contains((*fatal.Load()).Error(), "start raft") {
		t.Errorf("raft does not start again: %v, and it goes on", err)
	}
}
