package consensus

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
)

// A leader whose process has died is known at once: its machine ends the connections, and
// refuses new ones. Then there is nothing to wait for, and the voters stand for election
// one after the other, the one with the longest log first. A machine that is gone, or cut
// off, ends nothing; that is what the time-outs are for.

// departed is a leader that is known to be gone.
type departed struct {
	address raft.ServerAddress
	term    uint64 // of this master when it was found out
}

const (
	lookAgain = 10 * time.Millisecond // a dying process ends its connections and its port one after the other
	lookTimes = 5
)

// mourn stands for election when the leader has died, until the instance ends.
func (n *Node) mourn(r *raft.Raft, t raft.Transport, over <-chan struct{}) {
	for {
		select {
		case <-n.stream.broke:
		case <-over:
			return
		}
		leader, _ := r.LeaderWithID()
		if leader == "" || leader == t.LocalAddr() || !n.died(leader, over) {
			continue
		}
		n.opts.Log.Info("the leader has died", "leader", string(leader))
		term := r.CurrentTerm()
		n.gone.Store(&departed{address: leader, term: term})
		n.changed()
		wait, votes := n.turn(r, leader)
		if !votes {
			continue
		}
		select {
		case <-time.After(wait):
		case <-over:
			return
		}
		// In a later term somebody stands already; should that one fail, time does it.
		if now, _ := r.LeaderWithID(); r.CurrentTerm() == term && (now == "" || now == leader) {
			n.stand(t, raft.ServerID(n.opts.Name))
		}
	}
}

// died tells whether nobody listens at the leader's port any more.
func (n *Node) died(leader raft.ServerAddress, over <-chan struct{}) bool {
	for range lookTimes {
		switch _, err := n.ask(string(leader), askStatus, nil); {
		case err == nil:
			return false
		case errors.Is(err, syscall.ECONNREFUSED):
			return true
		}
		select {
		case <-time.After(lookAgain):
		case <-over:
			return false
		}
	}
	return false
}

// turn is how long this master lets others stand for election before it does; votes is
// false when it has no vote.
func (n *Node) turn(r *raft.Raft, leader raft.ServerAddress) (wait time.Duration, votes bool) {
	f := r.GetConfiguration()
	if f.Error() != nil {
		return 0, false
	}
	step := n.opts.Many.Heartbeat // more than an election takes on a busy machine
	answers := make(chan answer, len(f.Configuration().Servers))
	asked := 0
	for _, s := range f.Configuration().Servers {
		switch {
		case s.Suffrage != raft.Voter || s.Address == leader:
		case string(s.ID) == n.opts.Name:
			votes = true
		default:
			asked++
			n.wait.Go(func() {
				a, _ := n.ask(string(s.Address), askStatus, nil) // who does not answer is not waited for
				answers <- a
			})
		}
	}
	if !votes {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(n.life, step)
	defer cancel()
	for range asked {
		select {
		case a := <-answers:
			if before(a, answer{Name: n.opts.Name, Last: r.LastIndex()}) {
				wait += step
			}
		case <-ctx.Done():
			return wait, true
		}
	}
	return wait, true
}

// before tells whether a stands for election before b.
func before(a, b answer) bool {
	if a.Name == "" || a.Last != b.Last {
		return a.Name != "" && a.Last > b.Last
	}
	return strings.Compare(a.Name, b.Name) < 0
}

// isGone tells whether the leader that raft still names is known to be dead. Should it
// come back and lead again, then in a later term.
func (n *Node) isGone(r *raft.Raft, leader raft.ServerAddress) bool {
	d := n.gone.Load()
	return d != nil && d.address == leader && d.term == r.CurrentTerm()
}
