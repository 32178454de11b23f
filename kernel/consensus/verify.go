package consensus

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// verifies asks a quorum once for all that want to know at the same time whether this
// master still leads. A thousand agents come back to a new leader at once, and each
// question is a round of messages.
type verifies struct {
	mu      sync.Mutex
	running bool
	next    *verification // has not begun; nil: nobody waits for one
}

// verification is one question; err is there when done is closed.
type verification struct {
	done chan struct{}
	err  error
}

// VerifyLeader asks a quorum whether this master still leads, after it was called.
// CodeUnavailable: it does not, or that is not known within ctx.
func (n *Node) VerifyLeader(ctx context.Context) error {
	v := n.verifies.join(n.verify)
	select {
	case <-v.done:
		return v.err
	case <-ctx.Done():
		return unavailable("verify leadership", context.Cause(ctx))
	}
}

// join is the next verification: one that has begun may have its answers from before.
func (v *verifies) join(ask func() error) *verification {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.next == nil {
		v.next = &verification{done: make(chan struct{})}
		if !v.running {
			v.running = true
			go v.run(ask)
		}
	}
	return v.next
}

// run asks until nobody waits.
func (v *verifies) run(ask func() error) {
	for {
		v.mu.Lock()
		now := v.next
		v.next, v.running = nil, now != nil
		v.mu.Unlock()
		if now == nil {
			return
		}
		now.err = ask()
		close(now.done)
	}
}

// heard is who has confirmed that this master leads. raft's own VerifyLeader takes any answer
// that comes after the question for one to it: also that to a sign of life from before, which
// was long under way while others have elected a leader and written. So the answers are
// numbered by when their requests went out.
type heard struct {
	mu    sync.Mutex
	count uint64 // of requests and questions
	from  map[raft.ServerID]confirmation
	more  chan struct{} // closed with the next one; nil: nobody waits for it
}

// confirmation is the last of a peer: of the term, to the request of the number.
type confirmation struct{ term, request uint64 }

// next numbers a request or question.
func (h *heard) next() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count++
	return h.count
}

func (h *heard) note(id raft.ServerID, c confirmation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if last := h.from[id]; c.term > last.term || c.term == last.term && c.request > last.request {
		h.from[id] = c
	}
	if h.more != nil {
		close(h.more)
		h.more = nil
	}
}

// of tells whether a majority has confirmed the term, the master itself and those that were
// asked after the question; or else what is closed when there is more to look at.
func (h *heard) of(voters []raft.Server, self raft.ServerID, term, question uint64) (most bool, more <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all, confirmed := 0, 0
	for _, s := range voters {
		if s.Suffrage != raft.Voter {
			continue
		}
		all++
		if c := h.from[s.ID]; s.ID == self || c.term == term && c.request > question {
			confirmed++
		}
	}
	if confirmed > all/2 {
		return true, nil
	}
	if h.more == nil {
		h.more = make(chan struct{})
	}
	return false, h.more
}

// lookEvery is how often confirm looks whether there is still something to wait for, where
// nobody answers any more.
const lookEvery = 50 * time.Millisecond

// confirm waits until a majority has confirmed the term since the question.
func (i *instance) confirm(ctx context.Context, deposed <-chan struct{}, self raft.ServerID, term, question uint64) error {
	for {
		f := i.raft.GetConfiguration()
		if err := f.Error(); err != nil {
			return err
		}
		most, more := i.heard.of(f.Configuration().Servers, self, term, question)
		switch {
		case i.raft.State() != raft.Leader || i.raft.CurrentTerm() != term:
			return raft.ErrLeadershipLost
		case most:
			return nil
		}
		select {
		case <-more:
		case <-time.After(lookEvery):
		case <-deposed:
			return raft.ErrLeadershipLost
		case <-i.over:
			return raft.ErrRaftShutdown
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
