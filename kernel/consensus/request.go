package consensus

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// errEnding is the answer to what was not asked of an instance, because it ends.
var errEnding = errors.New("this master is stopping, or starts raft anew")

// request is what an instance of raft was asked.
type request struct {
	done chan struct{} // closed when raft has answered
	err  error         // raft's answer, then
}

// batch is several proposals as one future.
type batch []raft.ApplyFuture

// Error waits for all of them. What each of them has come to, its own Error tells then.
func (b batch) Error() error {
	for _, f := range b {
		_ = f.Error()
	}
	return nil
}

// call is a request that waits itself.
type call func() error

func (c call) Error() error { return c() }

// ask makes a request, unless the instance is ending.
//
// raft forgets a request that lies in one of its queues when it ends: its future is never
// answered. So an instance takes no more requests before that, and has raft look at those
// that it has; see settle.
func (i *instance) ask(begin func() raft.Future) (*request, error) {
	i.mu.Lock()
	if i.ending {
		i.mu.Unlock()
		return nil, errEnding
	}
	i.asked.Add(1)
	i.mu.Unlock()
	future, r := begin(), &request{done: make(chan struct{})}
	go func() {
		defer i.asked.Done()
		r.err = future.Error()
		close(r.done)
	}()
	return r, nil
}

// wait is ask, and the answer: bounded by the context, and by ProposeBound where that has
// no end. It comes from raft, but when the instance has ended before it, or, not nil, when
// this master is deposed.
func (i *instance) wait(ctx context.Context, deposed <-chan struct{}, begin func() raft.Future) error {
	ctx, cancel := context.WithTimeout(ctx, remaining(ctx))
	defer cancel()
	r, err := i.ask(begin)
	if err != nil {
		return err
	}
	select {
	case <-r.done:
		return r.err
	case <-deposed:
		return raft.ErrLeadershipLost
	case <-i.over:
		return raft.ErrRaftShutdown
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answer is raft's, however long it takes, as long as there is one to come.
func (i *instance) answer(r *request) error {
	select {
	case <-r.done:
		return r.err
	case <-i.over:
		return raft.ErrRaftShutdown
	}
}

// settle takes no more requests, and lets raft answer those that it has: a leader without a
// quorum gives up within the patience. It is not settled when the disk, say, stands still;
// who waits then hears that the instance is over. Callers hold no lock that raft could wait for.
func (i *instance) settle(patience time.Duration) (settled bool) {
	i.mu.Lock()
	i.ending = true
	i.mu.Unlock()
	answered := make(chan struct{})
	go func() {
		i.asked.Wait()
		close(answered)
	}()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-answered:
		return true
	case <-t.C:
		return false
	}
}

// endPatience is how long a peer may take to answer when an instance ends.
const endPatience = time.Second

// end ends raft, waits for its goroutines, and closes the transport. A peer that stands
// still would hold up such a goroutine for as long as sending it a snapshot may take.
func (i *instance) end() error {
	defer close(i.over)
	defer time.AfterFunc(endPatience, i.hangUp).Stop()
	err := i.raft.Shutdown().Error()
	i.in.end()
	return err
}

// hangUp ends the connections that were made to the peers.
func (i *instance) hangUp() {
	if t, ok := i.transport.(transport); ok {
		t.layer.hangUp()
	}
}

// requests are what an instance was asked and has not answered.
type requests struct {
	mu     sync.Mutex
	ending bool
	asked  sync.WaitGroup // not added to once it is ending
}
