package consensus

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// The size of perf-15.
const (
	benchVoters   = 3
	benchInFlight = 64
	benchBytes    = 512
)

// counting counts the batches that a log store makes durable.
type counting struct {
	raft.LogStore
	batches atomic.Int64
}

func (c *counting) StoreLogs(logs []*raft.Log) error {
	c.batches.Add(1)
	return c.LogStore.StoreLogs(logs)
}

func (c *counting) StoreLog(l *raft.Log) error { return c.StoreLogs([]*raft.Log{l}) }

// forgetful is a state machine without a state.
type forgetful struct{}

func (forgetful) Apply(*raft.Log) any                 { return nil }
func (forgetful) Restore(r io.ReadCloser) error       { return r.Close() }
func (forgetful) Snapshot() (raft.FSMSnapshot, error) { return forgetful{}, nil }
func (forgetful) Persist(s raft.SnapshotSink) error   { return s.Close() }
func (forgetful) Release()                            {}

// benchVoter is one voter with the settings that Node gives raft, over a store of the
// caller's and without a state machine.
func benchVoter(b *testing.B, name string, logs raft.LogStore, stable raft.StableStore, first *raft.Configuration, transport raft.Transport) *raft.Raft {
	t := DefaultOptions().Many
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(name)
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout, c.CommitTimeout = t.Heartbeat, t.Election, t.Lease, t.Commit
	c.BatchApplyCh, c.NoLegacyTelemetry, c.Logger = true, true, hclog.NewNullLogger()
	snaps := raft.NewDiscardSnapshotStore()
	if err := raft.BootstrapCluster(c, logs, stable, snaps, transport, *first); err != nil {
		b.Fatal(err)
	}
	r, err := raft.NewRaft(c, forgetful{}, logs, stable, snaps, transport)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Shutdown().Error() })
	return r
}

// benchCommits commits n commands, so many in flight, and tells how many a second, and
// how many batches the leader made durable for each.
// With grouped they go as the store's writes do: those that wait together travel together,
// one group after the other.
func benchCommits(b *testing.B, n int, grouped bool, open func(name string) (raft.LogStore, raft.StableStore)) (rate, batches float64) {
	var first raft.Configuration
	var transports []raft.Transport
	for i := range benchVoters {
		transport, err := raft.NewTCPTransportWithLogger("127.0.0.1:0", nil, 3, 10*time.Second, hclog.NewNullLogger())
		if err != nil {
			b.Fatal(err)
		}
		transports = append(transports, transport)
		first.Servers = append(first.Servers, raft.Server{ID: raft.ServerID(fmt.Sprint("m", i)), Address: transport.LocalAddr()})
	}
	var voters []*raft.Raft
	var stores []*counting
	for i, transport := range transports {
		name := fmt.Sprint("m", i)
		logs, stable := open(name)
		stores = append(stores, &counting{LogStore: logs})
		voters = append(voters, benchVoter(b, name, stores[i], stable, &first, transport))
	}
	at := -1
	for begin := time.Now(); at < 0; {
		for i, r := range voters {
			if r.State() == raft.Leader && r.VerifyLeader().Error() == nil {
				at = i
			}
		}
		if time.Since(begin) > 10*time.Second {
			b.Fatal("no leader after 10 s")
		}
	}
	command := bytes.Repeat([]byte{'x'}, benchBytes)
	before, begin := stores[at].batches.Load(), time.Now()
	apply := func() error { return voters[at].Apply(command, 10*time.Second).Error() }
	if grouped {
		var stop func()
		apply, stop = inGroups(voters[at], command)
		defer stop()
	}
	var left atomic.Int64
	left.Store(int64(n))
	var g sync.WaitGroup
	for range benchInFlight {
		g.Go(func() {
			for left.Add(-1) >= 0 {
				if err := apply(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	g.Wait()
	return float64(n) / time.Since(begin).Seconds(), float64(stores[at].batches.Load()-before) / float64(n)
}

// inGroups gives a function that has a command committed with whatever else waits, as
// Node.write does.
func inGroups(r *raft.Raft, command []byte) (apply func() error, stop func()) {
	waiting := make(chan chan error, benchInFlight)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for first := range waiting {
			group := []chan error{first}
			for more := true; more; {
				select {
				case one, open := <-waiting:
					if more = open; open {
						group = append(group, one)
					}
				default:
					more = false
				}
			}
			var futures []raft.ApplyFuture
			for range group {
				futures = append(futures, r.Apply(command, 10*time.Second))
			}
			for i, f := range futures {
				group[i] <- f.Error()
			}
		}
	}()
	return func() error {
		one := make(chan error, 1)
		waiting <- one
		return <-one
	}, func() { close(waiting); <-over }
}

// syncsPerBatch is how often bbolt syncs its file in one transaction: pages, then the page
// that says which are good.
const syncsPerBatch = 2

// BenchmarkCommits is perf-15: what three voters over loopback commit with our log store,
// against the same with a store in memory. One iteration is the whole measurement.
func BenchmarkCommits(b *testing.B) {
	const commits = 20_000
	memory := func(string) (raft.LogStore, raft.StableStore) {
		s := raft.NewInmemStore()
		return s, s
	}
	disk := func(string) (raft.LogStore, raft.StableStore) {
		s, err := openStore(b.TempDir(), func(err error) { b.Error(err) })
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.db.Close() })
		return s, s
	}
	for _, grouped := range []bool{false, true} {
		b.Run(fmt.Sprintf("grouped=%v", grouped), func(b *testing.B) {
			for range b.N {
				quick, _ := benchCommits(b, commits, grouped, memory)
				rate, batches := benchCommits(b, commits, grouped, disk)
				b.ReportMetric(quick, "memory-commits/s")
				b.ReportMetric(rate, "commits/s")
				b.ReportMetric(rate/quick, "x-memory")
				b.ReportMetric(batches*syncsPerBatch, "fsyncs/commit")
			}
		})
	}
}
