package consensus

import (
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// inbox is what raft's main loop is asked by the others, and by this master itself.
//
// raft has a way past that loop for mere signs of life, so that a slow disk does not hide
// them. On it they also change term and state, whatever the loop does at that moment: a
// leader that waits for something to do writes the next proposal in the term of its
// successor, and a candidate that is elected just then leads in the term of another; either
// makes two histories. So past the loop goes only what changes nothing, of the present term
// to a follower: looked at just before, and to be elected in between takes several writes to
// the disk. Of a successor that has to wait there, because the loop is at its disk, the
// Node knows by then.
type inbox struct {
	requests chan raft.RPC
	over     <-chan struct{} // of the instance
	news     chan struct{}   // has a token when another leads a later term

	mu   sync.RWMutex // held by whoever is on the way past the loop
	raft *raft.Raft   // nil while it begins, and at the end

	newest atomic.Pointer[successor] // nil before the first
}

// successor is who has given signs of life as the leader of a term.
type successor struct {
	term    uint64
	id      raft.ServerID
	address raft.ServerAddress
}

func newInbox(over <-chan struct{}) *inbox {
	return &inbox{requests: make(chan raft.RPC, 1), over: over, news: make(chan struct{}, 1)}
}

// begin is called when raft has begun.
func (b *inbox) begin(r *raft.Raft) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.raft = r
}

// end returns when nobody is on the way past the loop any more: the next instance has the
// same disk.
func (b *inbox) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.raft = nil
}

// pump takes in what comes over the network, until the instance is over.
func (b *inbox) pump(from <-chan raft.RPC) {
	for {
		select {
		case r := <-from:
			b.post(r)
		case <-b.over:
			return
		}
	}
}

// post puts a request before the main loop.
func (b *inbox) post(r raft.RPC) {
	select {
	case b.requests <- r:
	case <-b.over:
		r.Respond(nil, raft.ErrRaftShutdown)
	}
}

// signs is where signs of life go; beat is the way past the loop.
func (b *inbox) signs(t raft.Transport, beat func(raft.RPC)) func(raft.RPC) {
	return func(r raft.RPC) {
		if b.pass(r, beat) {
			return
		}
		if q, is := r.Command.(*raft.AppendEntriesRequest); is {
			b.hear(successor{q.Term, raft.ServerID(q.ID), t.DecodePeer(q.Addr)})
		}
		b.post(r)
	}
}

// pass sends one past the loop, if that changes nothing.
func (b *inbox) pass(rpc raft.RPC, beat func(raft.RPC)) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	q, is := rpc.Command.(*raft.AppendEntriesRequest)
	if !is || b.raft == nil || b.raft.State() != raft.Follower || b.raft.CurrentTerm() != q.Term {
		return false
	}
	beat(rpc)
	return true
}

// hear notes who leads.
func (b *inbox) hear(s successor) {
	for {
		last := b.newest.Load()
		if last != nil && s.term <= last.term {
			return
		}
		if b.newest.CompareAndSwap(last, &s) {
			break
		}
	}
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// succeeded tells whether another leads a later term.
func (b *inbox) succeeded() bool {
	b.mu.RLock()
	r := b.raft
	b.mu.RUnlock()
	if r == nil {
		return false
	}
	_, is := b.later(r)
	return is
}

// later is who leads a later term than raft knows of.
func (b *inbox) later(r *raft.Raft) (successor, bool) {
	s := b.newest.Load()
	if s == nil || s.term <= r.CurrentTerm() {
		return successor{}, false
	}
	return *s, true
}
