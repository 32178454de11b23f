package consensus

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
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
