package consensus

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// sending is a cluster whose leader has a snapshot on its way to one that is behind, of
// everything or not; let has it arrive.
func sending(t *testing.T, everything bool) (a *archipelago, behind, leader *island, let func()) {
	t.Helper()
	a = newArchipelago(t, 3, 1)
	behind, leader = a.follower()
	a.cut(behind)
	for i := range 40 {
		a.said.registry(t, leader.Node, fmt.Sprintf("before%d", i), 2)
	}
	if err := leader.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !everything {
		a.said.registry(t, leader.Node, "after", 2)
	}
	if leader != a.leader() {
		t.Fatal("another leads by now")
	}
	let = a.sea.hold("snapshot")
	a.sea.join()
	a.until("a snapshot is on its way", func() bool {
		a.sea.mu.Lock()
		defer a.sea.mu.Unlock()
		return a.sea.count.snapshots > 0
	})
	return a, behind, leader, let
}

// P3, P23: a voter that stands for election while a leader's snapshot is on its way to it,
// and takes that when the leader has died, still has a vote for another.
func TestASnapshotOfADeadLeaderKeepsNobodyFromVoting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, behind, leader, let := sending(t, false)
		for _, x := range a.all {
			if x != behind && x != leader { // else it is elected before the snapshot arrives
				a.cut(x)
			}
		}
		a.end(leader)
		a.until("it stands", func() bool { return behind.inst.raft.State() == raft.Candidate })
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

// until waits for something for ten seconds.
func (a *archipelago) until(what string, is func() bool) {
	a.t.Helper()
	for range 1000 {
		if is() {
			return
		}
		<-time.After(10 * time.Millisecond) // synctest
	}
	a.t.Fatalf("after ten seconds it is not so: %s", what)
}

// P23: nor does a candidate that has taken a snapshot depose the leader that has sent it,
// when it hears it again after a while.
func TestASnapshotDeposesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, behind, leader, let := sending(t, true) // else more would follow it at once
		term := leader.inst.raft.CurrentTerm()
		a.cut(behind)
		a.until("it stands", func() bool { return behind.inst.raft.State() == raft.Candidate })
		a.sea.join()
		let()
		synctest.Wait()
		if !believes(behind.inst.raft) {
			t.Fatal("it does not believe in the leader: this was not about that")
		}
		a.cut(behind)
		<-time.After(5 * time.Second) // synctest
		a.sea.heal()
		<-time.After(5 * time.Second) // synctest
		if now := a.leader(); now != leader || now.inst.raft.CurrentTerm() != term {
			t.Errorf("%s leads term %d, not %s term %d", now.name, now.inst.raft.CurrentTerm(), leader.name, term)
		}
		a.said.check(t, behind)
	})
}
