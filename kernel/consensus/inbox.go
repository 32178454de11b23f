package consensus

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// inbox is what raft's main loop is asked by the others, and by this master itself.
//
// raft has a way past that loop for mere signs of life, so that a slow disk does not hide
// them. On it they also change term and state, whatever the loop does at that moment: a
// leader that waits for something to do writes the next proposal in the term of its
// successor, and a candidate that is elected just then leads in the term of another; either
// makes two histories. So past the loop goes at once only what changes nothing, of the
// present term to a follower. The rest does so when the loop stands still, in a write: then
// it looks at its state before it does anything else.
type inbox struct {
	requests chan raft.RPC
	over     <-chan struct{} // of the instance

	mu    sync.RWMutex // held by whoever is on the way past the loop
	raft  *raft.Raft   // nil while it begins, and at the end
	ended bool
}

func newInbox(over <-chan struct{}) *inbox {
	return &inbox{requests: make(chan raft.RPC), over: over}
}

// begin is called when raft has begun.
func (b *inbox) begin(r *raft.Raft) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.raft = r
	}
}

// end returns when nobody is on the way past the loop any more: the next instance has the
// same disk.
func (b *inbox) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.raft, b.ended = nil, true
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

// loopTakes is how long a loop that does not stand still may take to take a request.
const loopTakes = 250 * time.Millisecond

// signs is where signs of life go; beat is the way past the loop.
func (b *inbox) signs(beat func(raft.RPC)) func(raft.RPC) {
	return func(r raft.RPC) {
		if b.pass(r, beat, changesNothing) {
			return
		}
		t := time.NewTimer(loopTakes)
		defer t.Stop()
		select {
		case b.requests <- r:
		case <-t.C:
			if !b.pass(r, beat, func(*raft.Raft, raft.RPC) bool { return true }) {
				r.Respond(nil, raft.ErrRaftShutdown)
			}
		case <-b.over:
			r.Respond(nil, raft.ErrRaftShutdown)
		}
	}
}

func changesNothing(r *raft.Raft, rpc raft.RPC) bool {
	q, is := rpc.Command.(*raft.AppendEntriesRequest)
	return is && r.State() == raft.Follower && r.CurrentTerm() == q.Term
}

// pass sends one past the loop, if that is all right.
func (b *inbox) pass(rpc raft.RPC, beat func(raft.RPC), right func(*raft.Raft, raft.RPC) bool) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.raft == nil || !right(b.raft, rpc) {
		return false
	}
	beat(rpc)
	return true
}
