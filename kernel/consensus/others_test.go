package consensus

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// TestSuccessor: the furthest of those that vote and answer, and not one that raft may still
// wait for.
func TestSuccessor(t *testing.T) {
	const term = 7
	voter := func(ids ...raft.ServerID) (all []raft.Server) {
		for _, id := range ids {
			all = append(all, raft.Server{ID: id, Suffrage: raft.Voter})
		}
		return all
	}
	mute := func(id raft.ServerID, term uint64) func(*others) {
		return func(o *others) { o.tell(id, term, false) }
	}
	asked := func(id raft.ServerID) func(*others) {
		return func(o *others) {
			if _, err := o.successor(voter(id), "me", id, term, time.Minute); err != nil {
				t.Error(err)
			}
		}
	}
	late := func(id raft.ServerID) func(*others) {
		return func(o *others) { o.settled(id, term, true) }
	}
	ended := func(id raft.ServerID) func(*others) {
		return func(o *others) { o.settled(id, term, false) }
	}
	stands := func(id raft.ServerID) func(*others) { return func(o *others) { o.stands(id) } }
	sent := func(id raft.ServerID, times int, last uint64) func(*others) {
		return func(o *others) {
			for range times {
				o.sent(id, term, last)
			}
		}
	}
	three := voter("a", "me", "b")
	for name, row := range map[string]struct {
		servers []raft.Server
		named   raft.ServerID
		before  []func(*others)
		want    raft.ServerID
		err     string
	}{
		"nobody else":                      {servers: voter("me"), err: "no other master"},
		"nobody else votes":                {servers: append(voter("me"), raft.Server{ID: "new", Suffrage: raft.Nonvoter}), err: "no other master"},
		"any":                              {servers: three, want: "a"},
		"the furthest":                     {servers: three, before: []func(*others){sent("a", 1, 20), sent("b", 1, 21)}, want: "b"},
		"the one named":                    {servers: three, named: "a", before: []func(*others){sent("b", 1, 21)}, want: "a"},
		"one is away":                      {servers: three, before: []func(*others){mute("a", term), sent("a", 1, 21)}, want: "b"},
		"it was in an earlier term":        {servers: three, before: []func(*others){mute("a", term-1)}, want: "a"},
		"it is back":                       {servers: three, before: []func(*others){mute("a", term), func(o *others) { o.tell("a", term, true) }}, want: "a"},
		"old news of it comes late":        {servers: three, before: []func(*others){mute("a", term), func(o *others) { o.tell("a", term-1, true) }}, want: "b"},
		"it said nothing for long":         {servers: three, named: "b", before: []func(*others){func(o *others) { o.tell("b", term, true); o.of["b"].at = time.Now().Add(-2 * time.Minute) }}, err: errNotYet.Error()},
		"another said nothing for long":    {servers: three, before: []func(*others){func(o *others) { o.tell("a", term, true); o.of["a"].at = time.Now().Add(-2 * time.Minute) }}, want: "b"},
		"all are away":                     {servers: three, before: []func(*others){mute("a", term), mute("b", term)}, err: "no other master"},
		"the one named is away":            {servers: three, named: "b", before: []func(*others){mute("b", term)}, err: "b does not answer"},
		"one was asked":                    {servers: three, before: []func(*others){asked("a")}, want: "b"},
		"all were asked":                   {servers: three, before: []func(*others){asked("a"), asked("b")}, err: errNotYet.Error()},
		"the one named was asked":          {servers: three, named: "a", before: []func(*others){asked("a")}, err: errNotYet.Error()},
		"much was sent to it since":        {servers: three, named: "a", before: []func(*others){asked("a"), sent("a", 99, 9)}, err: errNotYet.Error()},
		"it took too long":                 {servers: three, named: "a", before: []func(*others){asked("a"), sent("a", 99, 9), late("a")}, err: errNotYet.Error()},
		"and some was sent to it since":    {servers: three, named: "a", before: []func(*others){asked("a"), late("a"), sent("a", lookedAfter-1, 9)}, err: errNotYet.Error()},
		"and much was sent to it since":    {servers: three, named: "a", before: []func(*others){asked("a"), late("a"), sent("a", lookedAfter, 9)}, want: "a"},
		"and it was asked again":           {servers: three, named: "a", before: []func(*others){asked("a"), late("a"), sent("a", lookedAfter, 9), asked("a")}, err: errNotYet.Error()},
		"it stands":                        {servers: three, named: "a", before: []func(*others){asked("a"), stands("a")}, want: "a"},
		"it stood, and that took too long": {servers: three, named: "a", before: []func(*others){asked("a"), stands("a"), late("a")}, want: "a"},
		"raft did not begin":               {servers: three, named: "a", before: []func(*others){asked("a"), ended("a")}, want: "a"},
		"it was asked in an earlier term":  {servers: three, named: "a", before: []func(*others){func(o *others) { _, _ = o.successor(three, "me", "a", term-1, time.Minute) }}, want: "a"},
	} {
		o := newOthers()
		for _, f := range row.before {
			f(o)
		}
		got, err := o.successor(row.servers, "me", row.named, term, time.Minute)
		if got.ID != row.want || (row.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), row.err) {
			t.Errorf("%s: %q, %v", name, got.ID, err)
		}
	}
}

// P23: leadership is handed to a master that answers, and whatever handing over to a slow one
// comes to, writes are answered afterwards.
func TestHandingOverRefusesNoWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArchipelago(t, 3, 1)
		var leader, x, y *island
		pick := func() {
			x, leader = a.follower()
			for _, z := range a.all {
				if z != x && z != leader {
					y = z
				}
			}
		}
		for round := range 40 {
			pick()
			let, last := a.sea.hold("entries"), leader.inst.raft.LastIndex()
			go a.said.registry(t, leader.Node, fmt.Sprintf("held%d", round), 2)
			for tries := 0; leader.inst.raft.LastIndex() == last && tries < 1000; tries++ {
				<-time.After(time.Millisecond) // synctest; until it has something to bring
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			if err := leader.Transfer(ctx, x.name); err == nil || !strings.Contains(err.Error(), "hand over to "+x.name) {
				t.Error("to one that gets nothing: ", err)
			}
			cancel()
			a.sea.refuse(x.at)
			let()
			began := time.Now()
			for !a.said.registry(t, leader.Node, fmt.Sprintf("without%d", round), 2) {
				if time.Since(began) > 10*time.Second {
					t.Fatal("no write is answered any more")
				}
				<-time.After(50 * time.Millisecond) // synctest
				leader = a.leader()
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("the next write took %v", took)
			}
			a.sea.heal()
			<-time.After(2 * time.Second) // synctest
		}
		for range 4 {
			<-time.After(lookedAfter * 100 * time.Millisecond) // synctest
			pick()
			a.sea.refuse(x.at)
			<-time.After(2 * time.Second) // synctest
			if err := leader.Transfer(t.Context(), x.name); err == nil || !strings.Contains(err.Error(), x.name+" does not answer") {
				t.Errorf("to one that is away: %v", err)
			}
			began := time.Now()
			if err := leader.Transfer(t.Context(), ""); err != nil || time.Since(began) > time.Second {
				t.Errorf("to any, %s is away: %v, after %v", x.name, err, time.Since(began))
			}
			if now := a.leader(); now != y {
				t.Errorf("%s leads, not %s", now.name, y.name)
			}
			a.sea.heal()
		}
	})
}
