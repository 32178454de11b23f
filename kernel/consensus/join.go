package consensus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

const (
	joinEvery = 250 * time.Millisecond // between two times that a master asks to be added
	patience  = 5 * time.Second        // for what passes by itself where masters start together
)

// troubles are what stands in the way of joining, each told once.
type troubles struct {
	log  *slog.Logger
	said map[string]*trouble
}

type trouble struct {
	text  string
	since time.Time
	told  bool
}

// tell logs that at says why; what may pass by itself is told when it lasts.
func (t *troubles) tell(at, message, why string, passes bool) {
	x := t.said[at]
	if x == nil || x.text != why {
		x = &trouble{text: why, since: time.Now()}
		t.said[at] = x
	}
	if !x.told && (!passes || time.Since(x.since) > patience) {
		x.told = true
		t.log.Warn(message, "peer", at, "why", why)
	}
}

// over is false when nothing was told of at.
func (t *troubles) over(at string) bool {
	x := t.said[at]
	delete(t.said, at)
	return x != nil && x.told
}

// Join asks to vote until this master does: the masters at the raft addresses peers,
// those that an operator names with an invitation, and, for one that was a member
// before, those that it knows. It is how a master tells its release after an upgrade,
// too. founders are the addresses of the first masters of a cluster that is to be made:
// the first of them makes it, once all of them answer and none has one already. When
// this master votes and a leader has said so, it rests until an invitation comes. It
// returns with ctx.
func (n *Node) Join(ctx context.Context, peers, founders []string) {
	said := &troubles{log: n.opts.Log, said: map[string]*trouble{}}
	t := time.NewTicker(joinEvery)
	defer t.Stop()
	for {
		n.remember()
		next := t.C
		if n.tryJoin(n.targets(peers, founders), said) {
			next = nil
		}
		if n.waits() && len(founders) > 0 && founders[0] == n.opts.Advertise {
			n.tryFound(founders[1:], said)
		}
		select {
		case <-next:
		case <-n.invites:
		case <-ctx.Done():
			return
		case <-n.life.Done():
			return
		}
	}
}

// targets are the addresses to ask, without our own.
func (n *Node) targets(lists ...[]string) []string {
	n.mu.RLock()
	all := slices.Clone(n.invited)
	inst := n.inst
	n.mu.RUnlock()
	for _, l := range lists {
		all = append(all, l...)
	}
	if inst != nil {
		if f := inst.raft.GetConfiguration(); f.Error() == nil {
			for _, s := range f.Configuration().Servers {
				all = append(all, string(s.Address))
			}
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(a string) bool { return a == n.opts.Advertise })
}

// remember notes that this master was taken in, which its own log tells.
func (n *Node) remember() {
	inst, err := n.instance()
	if err != nil {
		return
	}
	if f := inst.raft.GetConfiguration(); f.Error() == nil {
		for _, s := range f.Configuration().Servers {
			if string(s.ID) == n.opts.Name {
				n.took.Store(true)
			}
		}
	}
}

// tryJoin asks each of them, and the leader that they name; true: we vote, says the
// leader. What changes in their answers is logged.
func (n *Node) tryJoin(targets []string, said *troubles) bool {
	about := askJoin
	if _, leader, ok := n.Leader(); ok && leader == n.opts.Advertise {
		about = askStatus // it only looks whether those are of its cluster
	}
	asked := map[string]bool{}
	for len(targets) > 0 {
		at := targets[0]
		targets = targets[1:]
		if asked[at] || at == n.opts.Advertise {
			continue
		}
		asked[at] = true
		a, err := n.ask(at, about, func(q *question) { q.Again = n.took.Load() && !n.wanted.Load() })
		passes := err != nil || a.Later
		if err == nil && a.Refusal != "" {
			err = errors.New(a.Refusal)
		}
		if err == nil && a.Granted {
			err = n.Admit()
		}
		switch {
		case a.Removed:
			said.tell(at, "this master has no part in the cluster", a.Refusal, false)
			continue
		case err != nil:
			said.tell(at, "a master does not let this one in, trying on", err.Error(), passes && !strings.Contains(err.Error(), refusal))
			continue
		case a.Votes:
			n.wanted.Store(false)
			n.opts.Log.Info("this master votes", "leader", at)
			return true
		case a.Leader != "":
			targets = append([]string{a.Leader}, targets...)
		}
		if said.over(at) {
			n.opts.Log.Info("a master lets this one in", "peer", at)
		}
	}
	return about == askStatus
}

// tryFound makes the cluster when all the others of its founders are there and know
// of none.
func (n *Node) tryFound(others []string, said *troubles) {
	for _, at := range others {
		const waits = "the cluster is not made yet"
		switch a, err := n.ask(at, askStatus, nil); {
		case err != nil:
			said.tell(at, waits, fmt.Sprintf("all founders must be there first: %v", err), !strings.Contains(err.Error(), refusal))
		case a.Refusal != "":
			said.tell(at, waits, a.Refusal, false)
		case !a.Empty:
			said.tell("founding "+at, waits, "it has a cluster already, which this master joins instead", false)
		default:
			continue
		}
		return
	}
	if err := n.Found(); err != nil {
		n.opts.Log.Error("could not make the cluster", "error", err)
	}
}

// invitation has Join ask these too.
func (n *Node) invitation(peers []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.invited = peers
	n.wanted.Store(true)
	select {
	case n.invites <- struct{}{}:
	default:
	}
}
