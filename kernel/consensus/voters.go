package consensus

import (
	"context"
	"fmt"

	"github.com/hashicorp/raft"
)

// Voter is one master that votes.
type Voter struct {
	Name    string
	Address string // of its raft port
}

// Voters are the masters that vote, in the order of the configuration.
func (n *Node) Voters(ctx context.Context) ([]Voter, error) {
	inst, err := n.instance()
	if err != nil {
		return nil, err
	}
	f := inst.raft.GetConfiguration()
	if err := f.Error(); err != nil {
		return nil, unavailable("read the voters", err)
	}
	var out []Voter
	for _, s := range f.Configuration().Servers {
		if s.Suffrage == raft.Voter {
			out = append(out, Voter{Name: string(s.ID), Address: string(s.Address)})
		}
	}
	return out, nil
}

// AddVoter lets another master vote; only the leader can. Before the second one
// is added raft is started anew with the cluster's time-outs, because the lease
// of a running instance can not be changed: the caller sees its term end and a
// new one begin, and AddVoter waits for that.
func (n *Node) AddVoter(ctx context.Context, v Voter) error { return n.addServer(ctx, v, true, 0) }

// addServer is AddVoter, or makes one that is told everything and has no vote; only while
// the configuration of the index at stands, if it is not 0.
func (n *Node) addServer(ctx context.Context, v Voter, votes bool, at uint64) error {
	inst, err := n.grow(ctx)
	if err != nil {
		return err
	}
	add := inst.raft.AddNonvoter
	if votes {
		add = inst.raft.AddVoter
	}
	err = inst.wait(ctx, nil, func() raft.Future {
		return add(raft.ServerID(v.Name), raft.ServerAddress(v.Address), at, remaining(ctx))
	})
	if err != nil {
		return unavailable(fmt.Sprintf("add the master %s (%s)", v.Name, v.Address), err)
	}
	return nil
}

// grow gives an instance that more than one may vote in. Two masters may be on their way
// at once: the second waits for the first, instead of starting raft anew under it.
func (n *Node) grow(ctx context.Context) (*instance, error) {
	n.growing.Lock()
	defer n.growing.Unlock()
	inst, err := n.instance()
	if err != nil || !inst.solo {
		return inst, err
	}
	if err := n.VerifyLeader(ctx); err != nil {
		return nil, err
	}
	if err := n.store.Set(keyGrown(), []byte{1}); err != nil {
		return nil, err
	}
	if err := n.restart(false); err != nil {
		return nil, err
	}
	return n.lead(ctx)
}

// restart ends this instance of raft and starts the next; disk and port stay. Callers
// hold n.growing, so that there is one at a time.
func (n *Node) restart(solo bool) error {
	inst, err := n.instance()
	if err != nil {
		return err
	}
	inst.settle(n.opts.Many.Election)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return stopping()
	}
	if err := n.stopInstance(); err != nil {
		return err
	}
	n.fsm.reset()
	if err := n.start(solo, false); err != nil {
		n.opts.Fatal(err) // without raft this process is of no use
		return err
	}
	return nil
}

// lead waits until this master leads with all it knows applied.
func (n *Node) lead(ctx context.Context) (*instance, error) {
	inst, err := n.instance()
	if err != nil {
		return nil, err
	}
	seen := make(chan raft.Observation, 16)
	o := raft.NewObserver(seen, false, func(o *raft.Observation) bool {
		_, state := o.Data.(raft.RaftState)
		return state
	})
	inst.raft.RegisterObserver(o)
	defer inst.raft.DeregisterObserver(o)
	for inst.raft.State() != raft.Leader {
		select {
		case <-seen:
		case <-inst.over:
			return nil, unavailable("lead with the cluster's time-outs", raft.ErrRaftShutdown)
		case <-ctx.Done():
			return nil, unavailable("lead with the cluster's time-outs", ctx.Err())
		}
	}
	return inst, n.Barrier(ctx)
}
