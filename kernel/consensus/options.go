package consensus

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
)

// Options says how a Node runs.
type Options struct {
	Name      string          // this master's id among the voters; a master that lost its disk needs a new one
	Dir       string          // where log and snapshots are kept; made with mode 0700
	Listener  net.Listener    // bound; the Node closes it
	Advertise string          // host:port at which the other masters reach Listener
	Key       credential.Key  // the cluster key; zero with --insecure only
	Cluster   string          // name of the cluster; masters of another are not let in
	Member    registry.Member // what this master understands, told when it joins
	Bootstrap bool            // an empty Dir becomes a cluster of one voter; else it waits to be added
	// Elsewhere gives the raft addresses of masters that may have a cluster already, until ctx
	// ends. They are asked before Bootstrap makes one; nil for nobody.
	Elsewhere func(ctx context.Context) []string
	Solo      Timing // while the only voter ever is this one
	Many      Timing // as soon as there are or may be more
	Snapshot  uint64 // entries after which a snapshot is made
	Trailing  uint64 // entries kept behind a snapshot, for followers that are a little late
	Log       *slog.Logger
	Fatal     func(error) // called when the disk failed; must not return
	// Changed is called when another leader is known, or none; it must not block. Nil for
	// nobody.
	Changed func()
	// Observe is told every command of the store with its result when it is
	// applied, before ViewStore shows it; it must not block or call the Node. Nil
	// for nobody.
	Observe func(*store.Command, store.Result)
}

// Timing is the pace of raft.
type Timing struct {
	Heartbeat time.Duration // a follower that hears nothing for this long stands for election
	Election  time.Duration // a candidate without majority tries again
	Lease     time.Duration // a leader that reaches no quorum for this long steps down
	Commit    time.Duration // how soon an idle leader tells followers what is committed
}

// Pace is the timing of several masters whose followers stand for election after d.
func Pace(d time.Duration) Timing {
	return Timing{Heartbeat: d, Election: d, Lease: d * 4 / 5, Commit: min(d/3, 50*time.Millisecond)}
}

// DefaultOptions leaves Name, Dir, Listener, Advertise, Key, Log and Fatal to the caller.
func DefaultOptions() Options {
	return Options{
		// Nobody to wait for: it stands for election at once. The lease says how often an
		// idle leader wakes; 200 ms cost 0.001 core, 50 ms 0.006.
		Solo:     Timing{Heartbeat: time.Second, Election: time.Second, Lease: time.Second, Commit: 50 * time.Millisecond},
		Many:     Pace(500 * time.Millisecond),
		Snapshot: 8192,
		Trailing: 2048,
	}
}

// Validate lists everything that is wrong with the options.
func (o Options) Validate() error {
	var errs []error
	need := func(ok bool, text string) {
		if !ok {
			errs = append(errs, errors.New("consensus: "+text))
		}
	}
	need(o.Name != "", "a master needs a name")
	need(o.Dir != "", "a directory is needed")
	need(o.Listener != nil && o.Advertise != "", "a listener and its address are needed")
	need(o.Log != nil && o.Fatal != nil, "a logger and a Fatal function are needed")
	for _, t := range []Timing{o.Solo, o.Many} {
		need(t.Heartbeat >= 5*time.Millisecond && t.Election >= t.Heartbeat && t.Lease >= 5*time.Millisecond && t.Lease <= t.Heartbeat && t.Commit > 0,
			"timing: lease <= heartbeat <= election, all at least 5 ms")
	}
	return errors.Join(errs...)
}
