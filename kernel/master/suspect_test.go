package master

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/membership"
	"github.com/profferhq/proffer/sdk"
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

// TestANewLeaderIsToldOfThoseThatWereLost: gossip tells only once that it has lost an agent,
// and a leader that is elected afterwards does not know it from the one before.
func TestANewLeaderIsToldOfThoseThatWereLost(t *testing.T) {
	r := start(t, true, func(o *Options) { o.Mind.AgentTimeout, o.Mind.RecoveryTimeout = 500*time.Millisecond, time.Hour })
	ctx, leave := context.WithCancel(t.Context())
	agent, err := membership.New(membership.Options{Name: "a1", Cluster: r.opts.Cluster, Bind: "127.0.0.1", Key: r.key, Seeds: []string{r.GossipAddr()},
		Meta: membership.Meta{Role: membership.RoleAgent, HTTP: "127.0.0.1:5051"}, Log: r.opts.Log})
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- agent.Run(ctx) }()
	r.await(func() bool { return len(r.gossip.Members()) == 2 }, "the agent")
	leave()
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	r.await(func() bool { return len(r.gossip.Departed()) == 1 }, "its end")
	lost := r.registerAgent("host1", "cpus:1;mem:64")
	r.nextMind()
	r.await(func() bool {
		answer := r.ask(r.agentHeader("Authorization", "Bearer "+r.operatorToken()), sdk.OperatorGetAgents)
		return slices.ContainsFunc(answer.GetAgents.Agents, func(a sdk.AgentState) bool { return a.AgentInfo.ID == lost.id && a.UnreachableTime != nil })
	}, "the agent to be given up")
}
