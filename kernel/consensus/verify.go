package consensus

import (
	"context"
	"sync"
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
