package consensus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/registry"
)

// Node is this master's part of the consensus.
type Node struct {
	opts   Options
	store  *logStore
	snaps  raft.SnapshotStore
	fsm    *fsm
	stream *stream
	terms  chan Term
	wait   sync.WaitGroup
	dial   func() raft.Transport // a fresh transport per instance
	silent *atomic.Bool          // the transports send nothing
	writes *writes               // of the store
	adding adding                // masters that are on their way to a vote
	took   atomic.Bool           // this master was taken into its cluster
	wanted atomic.Bool           // an operator has said that it is to be taken in, whatever was before
	gone   atomic.Pointer[departed]
	life   context.Context // ends with Close
	end    context.CancelFunc

	verifies verifies
	growing  sync.Mutex                    // held while a lone voter becomes one of several
	leads    atomic.Pointer[chan struct{}] // closed when this master's last leadership has ended
	handing  atomic.Pointer[chan struct{}] // closed when the last handing over for a slow disk has ended

	mu      sync.RWMutex
	inst    *instance     // nil while this master waits to be added
	invited []string      // raft addresses of masters that an operator named
	invites chan struct{} // has a token when that has changed
	closed  bool
}

// instance is one run of raft; a change of timing needs a new one.
type instance struct {
	raft      *raft.Raft
	transport raft.Transport
	heard     *heard
	others    *others
	in        *inbox
	caught    atomic.Uint64 // the last term in which all that was before it is applied here
	solo      bool
	over      chan struct{} // closed after its end
	requests
}

// leads tells whether this master leads, as far as it knows: its raft may not have looked yet
// at the sign of life of its successor.
func (i *instance) leads() bool {
	_, succeeded := i.in.later(i.raft)
	return !succeeded && i.raft.State() == raft.Leader
}

// leader is who does; empty: nobody, as far as is known.
func (i *instance) leader() (raft.ServerAddress, raft.ServerID) {
	if s, is := i.in.later(i.raft); is {
		return s.address, s.id
	}
	return i.raft.LeaderWithID()
}

// Term is one leadership of this master.
type Term struct {
	// Number is raft's term: half of the fence on everything this leader sends. It is read
	// after raft's word of the election, so before anything is sent under it, it has to be
	// what Node.Term gives after a Barrier: else it is another leader's.
	Number uint64
	Lost   <-chan struct{} // closed when it leads no longer
}

// keyGrown is set on disk before a second voter is added: from then on this
// master never starts with the time-outs of a lone voter again.
func keyGrown() []byte { return []byte("proffer-grown") }

// keyCluster holds the id of the cluster that the log is of.
func keyCluster() []byte { return []byte("proffer-cluster") }

// keyGranted is set on disk when a leader has said that it adds this master, which has
// nothing yet.
func keyGranted() []byte { return []byte("proffer-granted") }

// New opens the disk and starts raft; it does not wait for a leader.
func New(o Options) (*Node, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	var silent atomic.Bool
	s := newStream(o.Listener, o.Advertise, o.Key, o.Log, &silent)
	n, err := newNode(o, s, &silent, func() raft.Transport {
		return newTransport(newLayer(s), newBridge(o.Log, "raft-net"))
	})
	if err != nil {
		s.ln.Close()
		return nil, err
	}
	s.begin(n.reply, n.waits)
	return n, nil
}

// newNode opens a Node over dial; s is what its transports run over, nil where they have
// nothing of the kind.
func newNode(o Options, s *stream, silent *atomic.Bool, dial func() raft.Transport) (*Node, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("raft directory: %w", err)
	}
	st, err := openStore(o.Dir, o.Fatal)
	if err != nil {
		return nil, err
	}
	n := &Node{opts: o, store: st, stream: s, dial: dial, silent: silent, terms: make(chan Term, 1), writes: newWrites(), invites: make(chan struct{}, 1)}
	st.watch = &watch{every: o.Many.Election, tell: n.slow, over: n.fast}
	n.life, n.end = context.WithCancel(context.Background())
	n.fsm = newFSM(o)
	n.fsm.identify = n.identify
	if err := n.open(); err != nil {
		return nil, errors.Join(err, st.db.Close())
	}
	n.wait.Go(n.write)
	return n, nil
}

func (n *Node) open() error {
	snaps, err := openSnapshots(n.opts.Dir, n.opts.Log)
	if err != nil {
		return err
	}
	n.snaps = snaps
	if err := n.checkName(); err != nil {
		return err
	}
	if err := n.settleSnapshots(snaps); err != nil {
		return err
	}
	exists, err := raft.HasExistingState(n.store, n.store, snaps)
	if err != nil {
		return fmt.Errorf("read the raft state in %s: %w", n.opts.Dir, err)
	}
	granted, err := n.store.Get(keyGranted())
	switch {
	case exists:
		if last, err := n.store.LastIndex(); err == nil && last > 0 {
			n.took.Store(true) // somebody had told it something
		}
		grown, err := n.store.Get(keyGrown())
		return n.start(err == nil && len(grown) == 1 && grown[0] == 0, false)
	case err == nil && len(granted) > 0:
		return n.start(false, false)
	case n.opts.Bootstrap:
		if err := n.elsewhere(); err != nil {
			return err
		}
		return n.bootstrap(true)
	}
	n.opts.Log.Info("this master has no cluster yet and was not told to bootstrap one; it waits to be added", "name", n.opts.Name)
	return nil
}

// bootstrap makes a cluster of this one voter; solo says that no others are to come
// soon. Callers hold no instance.
func (n *Node) bootstrap(solo bool) error {
	grown := []byte{1}
	if solo {
		grown[0] = 0
	}
	if err := n.store.Set(keyGrown(), grown); err != nil {
		return err
	}
	return n.start(solo, true)
}

// Found makes a new cluster of this master, which has waited for its other founders.
func (n *Node) Found() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.inst != nil {
		return nil
	}
	return n.bootstrap(false)
}

// Admit has an empty master take part: the leader has said that it adds it. Before that
// it must not answer raft's messages. One that has lost its disk would give away the
// vote of the master that it was, and with that vote what was promised to be kept.
func (n *Node) Admit() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.inst != nil {
		return nil
	}
	if err := n.store.Set(keyGranted(), []byte{1}); err != nil {
		return err
	}
	return n.start(false, false)
}

// waits tells whether this master knows nothing of any cluster.
func (n *Node) waits() bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.inst == nil && !n.closed
}

// identify writes down whose log this is: one that has not heard yet what is committed
// must not be taken for a stranger's, nor by a stranger.
func (n *Node) identify(id string) {
	if err := n.store.Set(keyCluster(), []byte(id)); err != nil {
		n.opts.Fatal(err)
	}
}

// clusterID is empty before a cluster was made.
func (n *Node) clusterID() (id string) {
	n.View(func(s *registry.State) { id = s.ClusterID() })
	if id == "" {
		if stored, err := n.store.Get(keyCluster()); err == nil {
			id = string(stored)
		}
	}
	return id
}

// start begins an instance of raft. Callers hold no instance.
func (n *Node) start(solo, bootstrap bool) error {
	t := n.opts.Many
	if solo {
		t = n.opts.Solo
	}
	notify := make(chan bool, 8)
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(n.opts.Name)
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout, c.CommitTimeout = t.Heartbeat, t.Election, t.Lease, t.Commit
	c.SnapshotThreshold, c.TrailingLogs = n.opts.Snapshot, n.opts.Trailing
	c.BatchApplyCh = true // commands that wait share one fsync
	c.NoLegacyTelemetry = true
	c.ShutdownOnRemove = false // a removed master still answers, and can be added again
	c.NotifyCh = notify
	c.Logger = newBridge(n.opts.Log, "raft")
	transport, over := n.dial(), make(chan struct{})
	in := newInbox(over)
	if solo {
		// There is nobody to wait for. That does not go over the network: a request that came
		// after the time-outs would depose the leader that they have made.
		in.post(raft.RPC{Command: timeoutNow(transport, c.LocalID), RespChan: make(chan raft.RPCResponse, 1)})
	}
	if bootstrap {
		first := raft.Configuration{Servers: []raft.Server{{ID: c.LocalID, Address: transport.LocalAddr()}}}
		if err := raft.BootstrapCluster(c, n.store, n.store, n.snaps, transport, first); err != nil {
			close(over)
			return errors.Join(fmt.Errorf("bootstrap: %w", err), closeTransport(transport))
		}
	}
	heard, others := &heard{from: map[raft.ServerID]confirmation{}}, newOthers()
	r, err := raft.NewRaft(c, n.fsm, n.store, n.store, n.snaps, listening{transport, heard, others, in, c.Logger})
	if err != nil {
		close(over)
		if n.fsm.unread != nil { // raft says only that there is one
			err = fmt.Errorf("the newest snapshot can not be read: %w", n.fsm.unread)
		}
		return errors.Join(fmt.Errorf("start raft from %s: %w", n.opts.Dir, err), closeTransport(transport))
	}
	n.inst = &instance{raft: r, transport: transport, heard: heard, others: others, in: in, solo: solo, over: over}
	leaders := make(chan raft.Observation, 1) // one that is waiting tells enough
	r.RegisterObserver(raft.NewObserver(leaders, false, func(o *raft.Observation) bool {
		_, leader := o.Data.(raft.LeaderObservation)
		return leader
	}))
	states := make(chan raft.Observation, 1)
	r.RegisterObserver(raft.NewObserver(states, false, func(o *raft.Observation) bool {
		state, ok := o.Data.(raft.RaftState)
		if !ok || state == raft.Leader {
			return false
		}
		others.look()
		return true
	}))
	others.begin(r) // when those that wait hear of the end of its leadership
	in.begin(r)
	n.wait.Go(func() { in.pump(transport.Consumer()) })
	n.wait.Go(func() { doubt(r, in, t.Election, over) })
	n.wait.Go(func() { n.follow(r, in, notify, leaders, states, over) })
	if !solo && n.stream != nil {
		n.wait.Go(func() { n.mourn(r, transport, over) })
	}
	return nil
}

// follow turns raft's notifications into terms until the instance ends.
// That it leads no longer is seen in its state, or by a sign of life of its successor: the
// notification comes only when what a deposed leader writes is on the disk, which may be why
// it was deposed.
func (n *Node) follow(r *raft.Raft, in *inbox, notify <-chan bool, leaders, states <-chan raft.Observation, over <-chan struct{}) {
	var lost chan struct{}
	resign := func() {
		if lost != nil {
			close(lost)
			lost = nil
		}
	}
	defer resign()
	for {
		select {
		case leads := <-notify:
			resign()
			if leads {
				n.took.Store(true)
				if _, succeeded := in.later(r); succeeded {
					continue // before it could begin
				}
				lost = make(chan struct{})
				ends := lost
				n.leads.Store(&ends)
				n.announce(Term{Number: r.CurrentTerm(), Lost: ends})
			}
		case <-states:
			if r.State() != raft.Leader {
				resign()
			}
		case <-in.news:
			if _, is := in.later(r); is {
				resign()
				n.changed()
			}
		case <-leaders:
			n.changed()
		case <-over:
			return
		}
	}
}

// changed tells that another leader is known, or none.
func (n *Node) changed() {
	if n.opts.Changed != nil {
		n.opts.Changed()
	}
}

// deposed is closed when this master's present leadership ends; nil while it has none.
func (n *Node) deposed() <-chan struct{} {
	ends := n.leads.Load()
	if ends == nil {
		return nil
	}
	select {
	case <-*ends:
		return nil
	default:
		return *ends
	}
}

// announce puts the term where Leading finds it, in place of one nobody took.
func (n *Node) announce(t Term) {
	for {
		select {
		case n.terms <- t:
			return
		default:
		}
		select {
		case <-n.terms:
		default:
		}
	}
}

// Close ends raft, the transport and the files.
func (n *Node) Close() error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return nil
	}
	n.closed = true
	n.end()
	inst := n.inst
	n.mu.Unlock()
	if inst != nil && !inst.settle(n.opts.Many.Election) {
		n.silent.Store(true) // raft goes on with its heartbeats until its disk is back
	}
	if n.stream != nil {
		n.stream.stop() // nobody listens here: the others take the end of a connection for a death, and wait for nothing
	}
	n.mu.Lock()
	err := n.stopInstance()
	n.mu.Unlock()
	if inst != nil {
		inst.hangUp()
	}
	n.writes.close()
	n.wait.Wait()
	return errors.Join(err, n.store.db.Close())
}

// stopInstance ends what instance there is, which has settled. Callers hold n.mu.
func (n *Node) stopInstance() error {
	if n.inst == nil {
		return nil
	}
	err := n.inst.end()
	n.inst = nil
	return err
}

func closeTransport(t raft.Transport) error {
	if c, ok := t.(raft.WithClose); ok {
		return c.Close()
	}
	return nil
}
