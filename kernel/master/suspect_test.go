package master

import (
	"testing"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/membership"
)

// TestSuspicionReachesTheMind: what gossip says of agents is an input, what it says of
// masters is not, and without a leader there is nobody to tell.
func TestSuspicionReachesTheMind(t *testing.T) {
	m := &Master{}
	left := membership.Event{Kind: membership.Left, Member: membership.Member{Meta: membership.Meta{Role: membership.RoleAgent, HTTP: "a1:5051"}}}
	m.suspect(left)
	l := &leader{inbox: newMailbox[item]()}
	m.leads.Store(l)
	m.suspect(left)
	back := left
	back.Kind = membership.Joined
	m.suspect(back)
	back.Member.Role = membership.RoleMaster
	m.suspect(back)
	got := l.inbox.take(nil)
	want := []cluster.AgentSuspected{{Address: "a1:5051", Suspected: true}, {Address: "a1:5051"}}
	if len(got) != len(want) {
		t.Fatalf("%d inputs, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].in != want[i] {
			t.Errorf("input %d is %+v, want %+v", i, got[i].in, want[i])
		}
	}
}
