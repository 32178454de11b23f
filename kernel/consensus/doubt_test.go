package consensus

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// P3, P23: a voter that stands for election while a leader's snapshot is on its way to it,
// and takes that when the leader has died, still has a vote for another.
func TestASnapshotOfADeadLeaderKeepsNobodyFromVoting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArchipelago(t, 3, 1)
		behind, leader := a.follower()
		a.cut(behind)
		for i := range 40 {
			a.said.registry(t, leader.Node, fmt.Sprintf("before%d", i), 2)
		}
		if err := leader.Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.said.registry(t, leader.Node, "after", 2) // so that the snapshot is not all that there is
		if leader != a.leader() {
			t.Fatal("another leads by now")
		}
		let := a.sea.hold("snapshot")
		a.sea.mu.Lock()
		a.sea.cuts = map[way]bool{}
		a.sea.mu.Unlock()
		for sent := 0; sent == 0; {
			<-time.After(10 * time.Millisecond) // synctest
			a.sea.mu.Lock()
			sent = a.sea.count.snapshots
			a.sea.mu.Unlock()
		}
		for _, x := range a.all {
			if x != behind && x != leader { // else it is elected before the snapshot arrives
				a.cut(x)
			}
		}
		a.end(leader)
		for behind.inst.raft.State() != raft.Candidate {
			<-time.After(10 * time.Millisecond) // synctest
		}
		let()
		<-time.After(10 * time.Second) // synctest
		a.sea.heal()
		began := time.Now()
		a.leader()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the next leader came after %v", took)
		}
		a.open(leader)
	})
}
