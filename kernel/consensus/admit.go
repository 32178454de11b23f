package consensus

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/registry"
)

// adding are the masters that this leader is adding, and those that it has removed: one
// that was on its way may not have heard that it was a member.
type adding struct {
	mu      sync.Mutex
	names   map[string]bool
	removed map[string]bool
}

// bar keeps one out that is removed, until an operator asks for it.
func (a *adding) bar(name string, out bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !out {
		delete(a.removed, name)
		return
	}
	if a.removed == nil {
		a.removed = map[string]bool{}
	}
	a.removed[name] = true
}

func (a *adding) barred(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.removed[name]
}

// begin is false when that one is under way.
func (a *adding) begin(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.names[name] {
		return false
	}
	if a.names == nil {
		a.names = map[string]bool{}
	}
	a.names[name] = true
	return true
}

func (a *adding) end(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.names, name)
}

// reply answers what another master asks.
func (n *Node) reply(q question) answer {
	a := answer{Name: n.opts.Name, Release: n.opts.Member.Release, Empty: n.waits()}
	if inst, err := n.instance(); err == nil {
		leader, _ := inst.leader()
		a.Applied, a.Last, a.Leader, a.Leads = inst.raft.AppliedIndex(), inst.raft.LastIndex(), string(leader), inst.leads()
	}
	if q.Cluster != n.opts.Cluster {
		a.Refusal = fmt.Sprintf("this is a master of the cluster %q, you were started for %q (--cluster)", n.opts.Cluster, q.Cluster)
		return a
	}
	switch q.About {
	case askInvite:
		n.invitation(q.Peers)
	case askJoin:
		switch {
		case a.Empty:
			a.Refusal, a.Later = "this master waits to be added to a cluster itself", true
		case !a.Leads && a.Leader == "":
			a.Refusal, a.Later = "no leader is known here now", true
		case a.Leads:
			n.consider(q, &a)
		}
	}
	return a
}

// consider is the leader's answer to one that wants to vote.
func (n *Node) consider(q question, a *answer) {
	inst, err := n.instance()
	if err != nil {
		a.Refusal = err.Error()
		return
	}
	f := inst.raft.GetConfiguration()
	if err := f.Error(); err != nil {
		a.Refusal = err.Error()
		return
	}
	var known *raft.Server
	for _, s := range f.Configuration().Servers {
		switch {
		case string(s.ID) == q.From.Name:
			known = &s
		case string(s.Address) == q.From.Address:
			a.Refusal = fmt.Sprintf("the master %s is at your address %s; if it is gone for good, remove it first: proffer cluster remove %s", s.ID, s.Address, s.ID)
			return
		}
	}
	if id := n.clusterID(); known == nil && q.ClusterID != "" && q.ClusterID != id { // one that we know may not have heard of a restore
		a.Refusal = fmt.Sprintf("your directory belongs to the cluster %s, this is %s; start with an empty --dir", q.ClusterID, id)
		return
	}
	if known != nil && known.Suffrage == raft.Voter && q.Empty {
		a.Refusal = fmt.Sprintf("the master %s votes here already, and you have nothing of what it knew: remove it (proffer cluster remove %s), then start anew under another name", known.ID, known.ID)
		return
	}
	if known == nil && (q.Again || n.adding.barred(q.From.Name)) {
		a.Removed = true
		a.Refusal = fmt.Sprintf("this master was removed from the cluster and does not come back by itself; proffer cluster join %s adds it again", q.From.Address)
		return
	}
	var common uint32
	n.View(func(s *registry.State) { common = s.CommonVersion() })
	if q.Member.Command < common {
		a.Refusal = fmt.Sprintf("your release %s knows registry commands up to version %d, this cluster uses %d: upgrade it", q.Member.Release, q.Member.Command, common)
		return
	}
	a.Granted = true
	a.Votes = known != nil && known.Suffrage == raft.Voter && string(known.Address) == q.From.Address && n.told(q.Member)
	if !a.Votes && n.adding.begin(q.From.Name) {
		n.wait.Go(func() {
			defer n.adding.end(q.From.Name)
			ctx, cancel := context.WithTimeout(n.life, addBound)
			defer cancel()
			if err := n.add(ctx, q, a.Applied); err != nil {
				n.opts.Log.Warn("a master could not be added, which it asks for again", "master", q.From.Name, "address", q.From.Address, "error", err)
			}
		})
	}
}

// told tells whether the registry knows what a master understands.
func (n *Node) told(m registry.Member) (same bool) {
	n.View(func(s *registry.State) {
		for _, known := range s.Members() {
			same = same || known == m
		}
	})
	return same
}

const (
	addBound = 5 * time.Minute        // for one to catch up; it asks again
	addPoll  = 100 * time.Millisecond // between two looks at how far it is
)

// add lets a master vote: first what it understands is written down, so that nothing
// newer is proposed; then it is told everything without a vote, so that the cluster
// does not wait for it; then it votes.
func (n *Node) add(ctx context.Context, q question, applied uint64) error {
	if !n.told(q.Member) {
		r, err := n.Propose(ctx, registry.Command{Type: registry.CommandMember, Time: time.Now().UnixNano(), Member: &q.Member})
		if err != nil {
			return err
		}
		if r.Err != nil {
			return r.Err
		}
	}
	if err := n.addServer(ctx, q.From, false, 0); err != nil {
		return err
	}
	t := time.NewTicker(addPoll)
	defer t.Stop()
	for {
		at, err := n.configured(ctx, q.From)
		if err != nil {
			return err
		}
		if n.adding.barred(q.From.Name) { // since it has asked
			return n.takeBack(ctx, q.From.Name)
		}
		if a, err := n.ask(q.From.Address, askStatus, nil); err == nil && a.Name == q.From.Name && a.Applied >= applied {
			err := n.addServer(ctx, q.From, true, at)
			if now, cerr := n.configured(ctx, q.From); err == nil || cerr == nil && now == at {
				return err
			} // else something else was changed in between
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return unavailable("wait for the master "+q.From.Name+" to catch up", ctx.Err())
		}
	}
}

// takeBack undoes what add has done for one that was removed meanwhile.
func (n *Node) takeBack(ctx context.Context, name string) error {
	inst, err := n.instance()
	if err != nil {
		return err
	}
	if err := inst.remove(ctx, name); err != nil {
		return unavailable("take the master "+name+" back out", err)
	}
	if err := n.left(ctx, name); err != nil {
		return err
	}
	return wasRemoved(name)
}

func wasRemoved(name string) error {
	return conflict("the master %s was removed before it voted", name)
}

// configured is the index of the configuration that has a master on its way; an error when
// it was removed meanwhile.
func (n *Node) configured(ctx context.Context, v Voter) (uint64, error) {
	at, found, err := n.lookUp(ctx, v.Name)
	if err == nil && !found {
		err = wasRemoved(v.Name)
	}
	return at, err
}

// lookUp is the index of the newest configuration, and whether that has a master.
func (n *Node) lookUp(ctx context.Context, name string) (at uint64, found bool, err error) {
	inst, err := n.instance()
	if err != nil {
		return 0, false, err
	}
	f := inst.raft.GetConfiguration()
	if err := f.Error(); err != nil {
		return 0, false, unavailable("read the configuration", err)
	}
	found = slices.ContainsFunc(f.Configuration().Servers, func(s raft.Server) bool { return string(s.ID) == name })
	return f.Index(), found, nil
}

// Invite has the waiting master at a raft address ask to be added. Only the leader can.
// It may ask before it has answered, so nothing bars it from before that on.
func (n *Node) Invite(address string) error {
	a, err := n.askFor(address, askStatus)
	if err != nil {
		return err
	}
	barred := n.adding.barred(a.Name)
	n.adding.bar(a.Name, false)
	if _, err := n.askFor(address, askInvite); err != nil {
		n.adding.bar(a.Name, barred)
		return err
	}
	return nil
}

// askFor asks the master that is to be invited.
func (n *Node) askFor(address string, about asking) (answer, error) {
	a, err := n.ask(address, about, func(q *question) { q.Peers = []string{n.opts.Advertise} })
	if err != nil {
		return a, unavailable("invite the master at "+address, err)
	}
	if a.Refusal != "" {
		return a, fmt.Errorf("the master at %s refuses: %s", address, a.Refusal)
	}
	return a, nil
}
