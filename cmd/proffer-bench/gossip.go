package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/membership"
)

// The sizes of the gossip bench.
const (
	gossipSettle = 40 * time.Second
	gossipWatch  = 10 * time.Second
)

// gossips measures how many members this machine carries, all in this process and on
// loopback: when everybody knows everybody, what it costs then, and who is taken for gone
// although all are there.
func gossips(ctx context.Context, _ options) ([]row, error) {
	var rows []row
	for _, n := range []int{40, 80, 160, 240, 320, 480} {
		r, whole, err := gossipOf(ctx, n)
		if err != nil {
			return rows, err
		}
		rows = append(rows, r...)
		if !whole {
			break
		}
	}
	return rows, nil
}

// gossipOf is one size; whole tells whether it came to be known by all of its members.
func gossipOf(ctx context.Context, n int) (rows []row, whole bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var g sync.WaitGroup
	defer g.Wait()
	defer cancel()
	var left atomic.Int64
	var all []*membership.Gossip
	var seeds []string
	key := credential.NewKey()
	begin := time.Now()
	for i := range n {
		m, err := membership.New(membership.Options{Name: fmt.Sprint("m", i), Cluster: "bench", Bind: "127.0.0.1", Advertise: "127.0.0.1", Key: key, Seeds: seeds,
			Meta: membership.Meta{Version: 1, Role: membership.RoleAgent}, Probe: membership.DefaultProbe, Rejoin: membership.DefaultRejoin, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return nil, false, err
		}
		if i < 3 {
			seeds = append(seeds, m.Addr())
		}
		all = append(all, m)
		g.Go(func() { _ = m.Run(ctx) })
		g.Go(func() {
			for {
				select {
				case e := <-m.Events():
					if e.Kind == membership.Left {
						left.Add(1)
					}
				case <-ctx.Done():
					return
				}
			}
		})
	}
	what := fmt.Sprintf("gossip, %d members in one process", n)
	err = poll(ctx, gossipSettle, 100*time.Millisecond, "all know all", func() error {
		for _, m := range all {
			if len(m.Members()) != n {
				return fmt.Errorf("one knows %d", len(m.Members()))
			}
		}
		return nil
	})
	took := time.Since(begin).Seconds()
	switch {
	case ctx.Err() != nil:
		return nil, false, errors.Join(err, ctx.Err())
	case err != nil:
		return []row{{ID: "gossip", What: what + ": not whole", Figure: took, Unit: "s", Note: err.Error() + "; load " + loadAverage()}}, false, nil
	}
	left.Store(0)
	cpu, from := cpuOf(syscall.RUSAGE_SELF), time.Now()
	if err := pause(ctx, gossipWatch); err != nil {
		return nil, false, err
	}
	core := (cpuOf(syscall.RUSAGE_SELF) - cpu).Seconds() / time.Since(from).Seconds()
	return []row{
		{ID: "gossip", What: what + ": all know all after", Figure: took, Unit: "s", Note: "load " + loadAverage()},
		{ID: "gossip", What: "the same, at rest", Figure: core, Unit: "core", Note: fmt.Sprintf("%d times somebody was taken for gone", left.Load())},
	}, true, nil
}
