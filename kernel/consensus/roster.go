package consensus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/registry"
)

// Peer is one master as another one sees it.
type Peer struct {
	Voter
	Votes   bool   // false: it is told everything, and is on its way to a vote
	Leads   bool   // as far as is known here
	Applied uint64 // index of the last entry that it has applied; 0 when it does not answer
	Release string
	Trouble string // why it does not answer
}

// Roster are the masters of the configuration that this master knows, each asked how
// far it is. It needs no leader, so that one can see why there is none.
func (n *Node) Roster(ctx context.Context) ([]Peer, error) {
	inst, err := n.instance()
	if err != nil {
		return nil, err
	}
	f := inst.raft.GetConfiguration()
	if err := f.Error(); err != nil {
		return nil, unavailable("read the configuration", err)
	}
	leader, _ := inst.leader()
	servers := f.Configuration().Servers
	peers := make([]Peer, len(servers))
	var all sync.WaitGroup
	for i, s := range servers {
		p := &peers[i]
		p.Voter, p.Votes, p.Leads = Voter{Name: string(s.ID), Address: string(s.Address)}, s.Suffrage == raft.Voter, s.Address == leader
		if p.Name == n.opts.Name {
			p.Applied, p.Release = inst.raft.AppliedIndex(), n.opts.Member.Release
			continue
		}
		all.Go(func() {
			switch a, err := n.ask(p.Address, askStatus, nil); {
			case err != nil:
				p.Trouble = err.Error()
			case a.Name != p.Name:
				p.Trouble = fmt.Sprintf("another master, %s, answers at its address", a.Name)
			case a.Refusal != "":
				p.Trouble = a.Refusal
			default:
				p.Applied, p.Release = a.Applied, a.Release
			}
		})
	}
	all.Wait()
	return peers, nil
}

// Remove takes a master out for good; only the leader can, and not itself. Without force
// it is refused where those that stay could not agree on anything any more.
func (n *Node) Remove(ctx context.Context, name string, force bool) error {
	peers, err := n.Roster(ctx)
	if err != nil {
		return err
	}
	found, votes, answer := false, 0, 0
	for _, p := range peers {
		switch {
		case p.Name == name:
			found = true
		case p.Votes:
			votes++
			if p.Trouble == "" {
				answer++
			}
		}
	}
	known := false // an earlier removal may have come half of its way
	n.View(func(s *registry.State) {
		known = slices.ContainsFunc(s.Members(), func(m registry.Member) bool { return m.Name == name })
	})
	switch {
	case !found && known:
		return n.keepOut(ctx, name)
	case !found:
		return notFound("no master of the name %q is in the cluster; proffer cluster members lists them", name)
	case name == n.opts.Name:
		return conflict("%s leads; hand over first: proffer cluster transfer", name)
	case !force && answer <= votes/2:
		return conflict("of the %d masters that stay only %d answer: that is no majority, and without one nothing could be done any more; bring one back first, or say --force", votes, answer)
	}
	inst, err := n.instance()
	if err != nil {
		return err
	}
	n.adding.bar(name, true)
	if err := inst.remove(ctx, name); err != nil {
		if _, found, lerr := n.lookUp(ctx, name); lerr == nil && found {
			n.adding.bar(name, false) // nothing was done
		}
		return unavailable("remove the master "+name, err)
	}
	return n.left(ctx, name)
}

// remove takes a server out of the configuration.
func (i *instance) remove(ctx context.Context, name string) error {
	return i.wait(ctx, nil, func() raft.Future { return i.raft.RemoveServer(raft.ServerID(name), 0, remaining(ctx)) })
}

// keepOut ends a removal that came half of its way. The master may be coming in at this
// moment: whoever adds it sees that it is barred, or it is seen here that it was added.
func (n *Node) keepOut(ctx context.Context, name string) error {
	n.adding.bar(name, true)
	_, found, err := n.lookUp(ctx, name)
	switch {
	case err != nil:
		return err
	case found:
		n.adding.bar(name, false)
		return conflict("the master %s is being added just now; remove it once more", name)
	}
	return n.left(ctx, name)
}

// left has the registry forget a master, so that what it understands counts no more.
func (n *Node) left(ctx context.Context, name string) error {
	_, err := n.Propose(ctx, registry.Command{Type: registry.CommandMember, Time: time.Now().UnixNano(), Member: &registry.Member{Name: name, Left: true}})
	return err
}

// Transfer hands the leadership to a voter, by name, or to the one that is furthest
// when the name is empty.
func (n *Node) Transfer(ctx context.Context, name string) error {
	inst, err := n.instance()
	if err != nil {
		return err
	}
	voters, err := n.Voters(ctx)
	if err != nil {
		return err
	}
	if len(voters) < 2 {
		return conflict("there is no other master to hand over to")
	}
	if name == n.opts.Name {
		return conflict("%s leads already", name)
	}
	if name != "" && !slices.ContainsFunc(voters, func(v Voter) bool { return v.Name == name }) {
		return notFound("no master of the name %q votes; proffer cluster members lists them", name)
	}
	if err := n.handOver(ctx, inst, raft.ServerID(name)); err != nil {
		return unavailable("hand over to "+cmp.Or(name, "another master"), err)
	}
	return nil
}

const (
	handAgain = 10 * time.Millisecond // between two tries to hand over
	lateHand  = "leadership transfer timeout"
)

// handOver hands the leadership over, to the one named or to any, until handBound has passed.
// Raft gives that one election time-out: a successor whose disk or processor is busy needs
// longer to write down its vote, and what it was told last may still make it the leader.
func (n *Node) handOver(ctx context.Context, i *instance, name raft.ServerID) error {
	ctx, cancel := context.WithTimeout(ctx, handBound)
	defer cancel()
	t := time.NewTicker(handAgain)
	defer t.Stop()
	for again := false; ; again = true {
		err := n.handOnce(ctx, i, name)
		switch {
		case err == nil, again && errors.Is(err, raft.ErrNotLeader):
			return nil
		case !isLate(err) && !errors.Is(err, raft.ErrLeadershipTransferInProgress) && !errors.Is(err, errNotYet):
			return err
		}
		select {
		case <-t.C:
		case <-i.over:
			return err
		case <-ctx.Done():
			return err
		}
		if !i.leads() {
			return nil
		}
	}
}

// handOnce is one try.
func (n *Node) handOnce(ctx context.Context, i *instance, name raft.ServerID) error {
	term := i.raft.CurrentTerm()
	if !i.leads() {
		return raft.ErrNotLeader
	}
	to, err := i.others.successor(i.raft.GetConfiguration().Configuration().Servers, raft.ServerID(n.opts.Name), name, term, 2*n.opts.Many.Election)
	if err != nil {
		return err
	}
	return i.wait(ctx, nil, func() raft.Future {
		f := i.raft.LeadershipTransferToServer(to.ID, to.Address)
		return call(func() error {
			err := f.Error()
			i.others.settled(to.ID, term, isLate(err))
			return err
		})
	})
}

func isLate(err error) bool { return err != nil && err.Error() == lateHand }
