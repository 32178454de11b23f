package consensus

import (
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// Bounds of the store's writes: those of one group, which share fsyncs and behind
// which the registry may have to wait, and those that wait for the next.
const (
	groupWrites  = 64 // as many as raft takes at once
	groupBytes   = 2 << 20
	waitingBytes = 64 << 20
)

// writes are the store's proposals that wait for the group before to be applied.
type writes struct {
	wake chan struct{}

	mu     sync.Mutex
	queue  []*write
	bytes  int
	closed bool
}

// write is one proposal of the store. Its result is set before done is closed.
type write struct {
	data   []byte
	done   chan struct{}
	result store.Result
	err    error
}

func newWrites() *writes { return &writes{wake: make(chan struct{}, 1)} }

func (w *writes) put(one *write) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return stopping()
	case w.bytes+len(one.data) > waitingBytes:
		return sdk.Errorf(sdk.CodeUnavailable, "", "%d bytes of writes wait for the disk already; nothing was done, try again", w.bytes)
	}
	w.queue, w.bytes = append(w.queue, one), w.bytes+len(one.data)
	w.signal()
	return nil
}

func (w *writes) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// group takes the next ones.
func (w *writes) group() []*write {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, bytes := 0, 0
	for n < len(w.queue) && n < groupWrites && (n == 0 || bytes+len(w.queue[n].data) <= groupBytes) {
		bytes += len(w.queue[n].data)
		n++
	}
	group := w.queue[:n:n]
	w.queue, w.bytes = w.queue[n:], w.bytes-bytes
	return group
}

// withdraw takes one out that waits; false when it is on its way already.
func (w *writes) withdraw(one *write) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, other := range w.queue {
		if other == one {
			w.queue = append(w.queue[:i:i], w.queue[i+1:]...)
			w.bytes -= len(one.data)
			return true
		}
	}
	return false
}

func (w *writes) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
}

// over tells that nothing will come any more.
func (w *writes) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed && len(w.queue) == 0
}

// write proposes groups, one after the other, until the node closes.
func (n *Node) write() {
	for !n.writes.over() {
		if handing := n.handing.Load(); handing != nil {
			<-*handing
		}
		if group := n.writes.group(); len(group) > 0 {
			n.writeGroup(group)
			continue
		}
		<-n.writes.wake
	}
}

func (n *Node) writeGroup(group []*write) {
	futures, err := n.propose(group)
	for i, one := range group {
		one.err = err
		if err == nil {
			one.result, one.err = outcome(futures[i])
		}
		close(one.done)
	}
}

// propose gives proposals that raft has answered, which it does at the latest when it loses
// its quorum; or the error of all of them.
func (n *Node) propose(group []*write) (batch, error) {
	inst, err := n.instance()
	if err != nil {
		return nil, err
	}
	futures := make(batch, len(group))
	asked, err := inst.ask(func() raft.Future {
		for i, one := range group {
			futures[i] = inst.raft.Apply(one.data, ProposeBound)
		}
		return futures
	})
	if err != nil {
		return nil, writeError(err)
	}
	if err := inst.answer(asked); err != nil {
		return nil, writeError(err)
	}
	return futures, nil
}

// outcome is what one of them has come to.
func outcome(f raft.ApplyFuture) (store.Result, error) {
	if err := f.Error(); err != nil {
		return store.Result{}, writeError(err)
	}
	r, ok := f.Response().(store.Result)
	if !ok {
		return r, sdk.Errorf(sdk.CodeInternal, "", "the store gave no result")
	}
	return r, nil
}

// writeError tells apart what was certainly not done from what is not known.
func writeError(err error) error {
	said := unavailable("write to the store", err)
	var e *sdk.Error
	switch {
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrEnqueueTimeout), errors.Is(err, raft.ErrLeadershipTransferInProgress), errors.Is(err, errEnding):
	case errors.As(said, &e):
		e.Code = sdk.CodeUnknown
	}
	return said
}

// ProposeStore puts one command of the store into the replicated log and tells
// what the store decided; a refusal is in the Result. The error is CodeUnavailable
// when the command certainly is not and will not be applied, CodeUnknown when that
// is not known.
func (n *Node) ProposeStore(ctx context.Context, c store.Command) (store.Result, error) {
	var common uint32
	n.View(func(s *registry.State) { common = s.CommonStore() })
	if common == 0 {
		return store.Result{}, sdk.Errorf(sdk.CodeUnavailable, "", "a master of this cluster is too old for the store: upgrade all of them")
	}
	c.Version = min(store.CommandVersion, common)
	data, err := store.EncodeCommand(storeHead(), c)
	if err != nil {
		return store.Result{}, err
	}
	if inst, err := n.instance(); err == nil && inst.in.succeeded() {
		return store.Result{}, unavailable("write to the store", raft.ErrNotLeader)
	}
	one := &write{data: data, done: make(chan struct{})}
	if err := n.writes.put(one); err != nil {
		return store.Result{}, err
	}
	select {
	case <-one.done:
		return one.result, one.err
	case <-n.deposed():
	case <-ctx.Done():
	}
	code, fate := sdk.CodeUnknown, "it may still be done"
	if n.writes.withdraw(one) {
		code, fate = sdk.CodeUnavailable, "nothing was done, try again"
	}
	return store.Result{}, &sdk.Error{Code: code, Op: "write to the store", Message: "no majority of masters confirmed it in time; " + fate}
}

// ViewStore lets f read the store; f must not keep the state or block.
func (n *Node) ViewStore(f func(*store.State)) {
	n.fsm.view(func(h held) { f(h.store) })
}
