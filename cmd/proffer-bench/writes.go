package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/profferhq/proffer/kernel/consensus"
	"github.com/profferhq/proffer/kernel/registry"
)

// The sizes of perf-14.
const (
	writeClients = 4
	writeCount   = 6000
	rawCommits   = 4000
)

// writes is perf-14 with one master and with three: four clients that create apps (without
// instances) through one master, beside what raft alone commits for four proposers on the
// same disk.
func writes(ctx context.Context, o options) ([]row, error) {
	rows, err := writesTo(ctx, o, 1, 1500, 0.6)
	if err != nil {
		return rows, err
	}
	more, err := writesTo(ctx, o, 3, 600, 0)
	return append(rows, more...), err
}

// writesTo is perf-14 with so many masters; mostCPU is 0 where processor time has no bound.
func writesTo(ctx context.Context, o options, masters int, least, mostCPU float64) ([]row, error) {
	raw, err := rawRaft(ctx, o, masters)
	if err != nil {
		return nil, err
	}
	u, err := startUp(ctx, o, plenty, append(booted(), "--masters", strconv.Itoa(masters))...)
	if err != nil {
		return nil, err
	}
	defer u.stop()
	m := newMarathon(u)
	if err := m.await(ctx); err != nil {
		return nil, err
	}
	cpu := u.cpu()
	begin := time.Now()
	took, err := together(writeClients, writeCount, func(i int) error {
		return m.call(ctx, http.MethodPost, "/v2/apps", benchApp{ID: fmt.Sprintf("/w%d", i), Cmd: "true", CPUs: 0.1, Mem: 32, Ports: []int{}}, nil)
	})
	if err != nil {
		return nil, err
	}
	rate := writeCount / time.Since(begin).Seconds()
	cost := row{ID: "perf-14", What: "the same: processor time of the whole tree", Figure: ms(u.cpu()-cpu) / writeCount, Unit: "CPU-ms"}
	if mostCPU > 0 {
		cost = cost.atMost(mostCPU)
	}
	slices.Sort(took)
	note := fmt.Sprintf("p50 %s ms, p99 %s ms; load %s", figure(took[len(took)/2]), figure(took[len(took)*99/100]), loadAverage())
	return []row{
		{ID: "raft", What: fmt.Sprintf("raft alone, voters: %d, %d proposers", masters, writeClients), Figure: raw, Unit: "commits/s"},
		row{ID: "perf-14", What: fmt.Sprintf("create %d apps, %d clients, masters: %d", writeCount, writeClients, masters), Figure: rate, Unit: "writes/s", Note: note}.atLeast(least),
		cost,
		row{ID: "perf-14", What: "the same: ratio to raft alone", Figure: rate / raw, Unit: "x"}.atLeast(0.3),
	}, nil
}

// rawRaft is how many commands a second so many voters of one process commit for as many
// proposers.
func rawRaft(ctx context.Context, o options, voters int) (float64, error) {
	dir, err := os.MkdirTemp(o.dir, "proffer-bench-raft-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	var first *consensus.Node
	for i := range voters {
		n, address, err := rawVoter(filepath.Join(dir, strconv.Itoa(i)), i)
		if err != nil {
			return 0, err
		}
		defer n.Close()
		if i == 0 {
			first = n
			select {
			case <-n.Leading():
			case <-time.After(10 * time.Second):
				return 0, errors.New("raft alone: no leader after 10 s")
			}
			continue
		}
		if err := errors.Join(n.Admit(), first.AddVoter(ctx, consensus.Voter{Name: rawName(i), Address: address})); err != nil {
			return 0, err
		}
	}
	begin := time.Now()
	_, err = together(writeClients, rawCommits, func(i int) error {
		_, err := first.Propose(ctx, registry.Command{Type: registry.CommandSetWeight, SetWeight: &registry.SetWeight{Role: fmt.Sprintf("r%d", i%100), Weight: float64(1 + i)}})
		return err
	})
	return rawCommits / time.Since(begin).Seconds(), err
}

func rawName(i int) string { return "raw" + strconv.Itoa(i) }

// rawVoter is one voter; the first makes the cluster.
func rawVoter(dir string, i int) (n *consensus.Node, address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	ro := consensus.DefaultOptions()
	ro.Name, ro.Dir, ro.Listener, ro.Advertise, ro.Bootstrap = rawName(i), dir, l, l.Addr().String(), i == 0
	ro.Log = slog.New(slog.DiscardHandler)
	ro.Fatal = func(err error) { fmt.Fprintln(os.Stderr, "raft:", err); os.Exit(1) }
	if n, err = consensus.New(ro); err != nil {
		return nil, "", errors.Join(err, l.Close())
	}
	return n, ro.Advertise, nil
}

// together does n pieces of work with so many workers and tells how many milliseconds each
// took.
func together(workers, n int, work func(i int) error) ([]float64, error) {
	jobs := make(chan int, n)
	for i := range n {
		jobs <- i
	}
	close(jobs)
	var mu sync.Mutex
	var all []float64
	var failed error
	var g sync.WaitGroup
	for range workers {
		g.Go(func() {
			for i := range jobs {
				begin := time.Now()
				err := work(i)
				mu.Lock()
				all = append(all, ms(time.Since(begin)))
				stop := failed != nil || err != nil
				failed = errors.Join(failed, err)
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	g.Wait()
	return all, failed
}
