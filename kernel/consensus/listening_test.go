package consensus

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// P23: a voter that comes back after long counts at once. The other one may go then, and
// writes are still answered, whatever it was that kept the first away. (raft alone lets
// up to ten seconds pass before it sends entries again.)
func TestAReturnedVoterCountsAtOnce(t *testing.T) {
	const away = time.Minute
	for name, c := range map[string]struct {
		leave  func(a *archipelago, x *island)
		writes int // while it is away; more than Options.Trailing need a snapshot
	}{
		"refused":                      {func(a *archipelago, x *island) { a.sea.refuse(x.at) }, 2},
		"refused, behind a snapshot":   {func(a *archipelago, x *island) { a.sea.refuse(x.at) }, 40},
		"unheard":                      {(*archipelago).mute, 2},
		"cut off":                      {(*archipelago).cut, 2},
		"cut off, behind a snapshot":   {(*archipelago).cut, 40},
		"its process ends and is back": {nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newArchipelago(t, 3, 1)
				x, leader := a.follower()
				back := a.sea.heal
				if c.leave == nil {
					a.end(x)
					back = func() { a.open(x) }
				} else {
					c.leave(a, x)
				}
				for i := range c.writes {
					if !a.said.registry(t, leader.Node, fmt.Sprintf("away%d", i), 2) {
						t.Fatal("two of three answer no write")
					}
				}
				if err := leader.Snapshot(t.Context()); err != nil {
					t.Fatal(err)
				}
				<-time.After(away) // synctest
				leader = a.leader()
				back()
				for x.inst.raft.LastContact().Before(time.Now().Add(-100 * time.Millisecond)) {
					<-time.After(10 * time.Millisecond) // synctest; until it hears the leader
				}
				for _, y := range a.all {
					if y != x && y != leader {
						a.sea.refuse(y.at)
					}
				}
				began := time.Now()
				if !a.said.registry(t, leader.Node, "back", 2) {
					t.Fatal("no write is answered")
				}
				if took := time.Since(began); took > 500*time.Millisecond {
					t.Errorf("the voter is back, and the next write took %v", took)
				}
				if leader != a.leader() {
					t.Error("another leads: this was not about the voter that is back")
				}
				<-time.After(time.Second) // synctest; it hears what is committed
				a.said.check(t, x)
			})
		})
	}
}

// A master that is removed while it is away is sent nothing any more, and nothing waits for
// it.
func TestAVoterThatIsRemovedIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArchipelago(t, 3, 1)
		x, leader := a.follower()
		a.sea.refuse(x.at)
		a.said.registry(t, leader.Node, "away", 2)
		<-time.After(10 * time.Second) // synctest
		if err := leader.inst.remove(t.Context(), x.name); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second) // synctest
		term := x.inst.raft.CurrentTerm()
		a.sea.heal()
		heard := x.inst.raft.LastContact()
		<-time.After(2 * time.Second) // synctest
		if x.inst.raft.LastContact() != heard || x.inst.raft.State() == raft.Leader {
			t.Errorf("%s is removed and still hears the leader of term %d", x.name, term)
		}
	})
}
