package consensus

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// ProposeBound is how long a proposal may take when its context says nothing.
const ProposeBound = 5 * time.Second

// Propose puts one command into the replicated log and tells what the registry
// decided. An error (CodeUnavailable) means that it is not known whether the
// command will ever be applied; a refusal of the registry is in the Result.
func (n *Node) Propose(ctx context.Context, c registry.Command) (registry.Result, error) {
	rs, err := n.ProposeBatch(ctx, []registry.Command{c})
	if err != nil {
		return registry.Result{}, err
	}
	return rs[0], nil
}

// ProposeBatch proposes commands in their order; they share fsyncs. On an error
// a prefix of them may have been applied, or may still be.
func (n *Node) ProposeBatch(ctx context.Context, cs []registry.Command) ([]registry.Result, error) {
	inst, err := n.instance()
	if err != nil || len(cs) == 0 {
		return nil, err
	}
	if inst.in.succeeded() {
		return nil, unavailable("propose "+string(cs[0].Type), raft.ErrNotLeader)
	}
	ctx, cancel := context.WithTimeout(ctx, remaining(ctx)) // for all of them together
	defer cancel()
	encoded := make([][]byte, len(cs))
	for i, c := range cs {
		c.Version = min(registry.CommandVersion, n.commonVersion())
		if encoded[i], err = registry.EncodeCommand(c); err != nil {
			return nil, err
		}
	}
	futures := make(batch, len(cs))
	err = inst.wait(ctx, n.deposed(), func() raft.Future {
		for i, data := range encoded {
			futures[i] = inst.raft.Apply(data, remaining(ctx))
		}
		return futures
	})
	if err != nil {
		return nil, unavailable("propose "+string(cs[0].Type), err)
	}
	results := make([]registry.Result, len(cs))
	for i, f := range futures {
		if err := f.Error(); err != nil {
			return nil, unavailable("propose "+string(cs[i].Type), err)
		}
		r, ok := f.Response().(registry.Result)
		if !ok {
			return nil, sdk.Errorf(sdk.CodeInternal, "", "the registry gave no result for %s", cs[i].Type)
		}
		results[i] = r
	}
	return results, nil
}

// Barrier waits until everything committed so far is applied here.
func (n *Node) Barrier(ctx context.Context) error {
	inst, err := n.instance()
	if err != nil {
		return err
	}
	if err := inst.wait(ctx, nil, func() raft.Future { return inst.raft.Barrier(remaining(ctx)) }); err != nil {
		return unavailable("wait for the registry", err)
	}
	return nil
}

// verify asks a quorum whether this master still leads, once, and has all here that was
// committed before: who began to read in an earlier term of his may do so in this one.
func (n *Node) verify() error {
	inst, err := n.instance()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(n.life, ProposeBound)
	defer cancel()
	deposed, term := n.deposed(), inst.raft.CurrentTerm()
	if inst.caught.Load() != term {
		if err := n.Barrier(ctx); err != nil {
			return err
		}
		inst.caught.Store(term)
	}
	question := inst.heard.next()
	err = inst.wait(ctx, deposed, inst.raft.VerifyLeader)
	if err == nil {
		err = inst.confirm(ctx, deposed, raft.ServerID(n.opts.Name), term, question)
	}
	if err != nil {
		return unavailable("verify leadership", err)
	}
	return nil
}

// Leading gives each new leadership of this master; one that was lost before
// anybody took it may be left out.
func (n *Node) Leading() <-chan Term { return n.terms }

// Term is raft's term now, of whichever leader.
func (n *Node) Term() (uint64, error) {
	inst, err := n.instance()
	if err != nil {
		return 0, err
	}
	return inst.raft.CurrentTerm(), nil
}

// Leader is the name and raft address of the leader as this master knows it; not ok when
// there is none, or it has died, or raft is being started anew here, which takes as long as
// a disk that stands still: it is asked for every call, and never waits.
func (n *Node) Leader() (name, address string, ok bool) {
	if !n.mu.TryRLock() {
		return "", "", false
	}
	inst := n.inst
	n.mu.RUnlock()
	if inst == nil {
		return "", "", false
	}
	a, id := inst.leader()
	if _, succeeded := inst.in.later(inst.raft); a == "" || !succeeded && n.isGone(inst.raft, a) {
		return "", "", false
	}
	return string(id), string(a), true
}

// Resign gives the leadership to another voter, or, when there is none, ends and
// begins this master's own term anew.
func (n *Node) Resign(ctx context.Context) error {
	inst, err := n.instance()
	if err != nil {
		return err
	}
	if voters, err := n.Voters(ctx); err == nil && len(voters) > 1 {
		if err := n.handOnce(ctx, inst, ""); err == nil {
			return nil
		}
	}
	return n.renew(inst)
}

// renew starts raft anew, unless the instance and its leadership have ended meanwhile.
func (n *Node) renew(inst *instance) error {
	n.growing.Lock()
	defer n.growing.Unlock()
	now, err := n.instance()
	if err != nil || now != inst {
		return err
	}
	return n.restart(inst.solo)
}

// View lets f read the registry; f must not keep the state or block.
func (n *Node) View(f func(*registry.State)) {
	n.fsm.view(func(h held) { f(h.registry) })
}

// Snapshot makes a snapshot now and shortens the log.
func (n *Node) Snapshot(ctx context.Context) error {
	inst, err := n.instance()
	if err != nil {
		return err
	}
	err = inst.wait(ctx, nil, func() raft.Future { return inst.raft.Snapshot() })
	if errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return nil
	}
	return err
}

func (n *Node) commonVersion() (v uint32) {
	n.View(func(s *registry.State) { v = s.CommonVersion() })
	return v
}

func (n *Node) instance() (*instance, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	switch {
	case n.inst != nil:
		return n.inst, nil
	case n.closed:
		return nil, stopping()
	}
	return nil, sdk.Errorf(sdk.CodeUnavailable, "", "this master waits to be added to a cluster")
}

func notFound(format string, args ...any) error {
	return sdk.Errorf(sdk.CodeNotFound, "", format, args...)
}
func conflict(format string, args ...any) error {
	return sdk.Errorf(sdk.CodeConflict, "", format, args...)
}

func stopping() error { return sdk.Errorf(sdk.CodeUnavailable, "", "this master is stopping") }

func remaining(ctx context.Context) time.Duration {
	if at, ok := ctx.Deadline(); ok {
		return max(time.Until(at), time.Millisecond)
	}
	return ProposeBound
}

func unavailable(op string, err error) error {
	why := err.Error()
	switch {
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipLost):
		why = "this master does not lead (any more)"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, raft.ErrEnqueueTimeout):
		why = "no majority of masters confirmed it in time"
	case errors.Is(err, raft.ErrRaftShutdown):
		why = "this master is stopping"
	}
	return &sdk.Error{Code: sdk.CodeUnavailable, Op: op, Message: why}
}
