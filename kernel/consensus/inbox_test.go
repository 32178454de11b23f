package consensus

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// P1, P3: a leader that hears of its successor, by a mere sign of life, writes nothing in the
// term of that one, although it may be asked to at the same moment.
func TestADeposedLeaderWritesNothingInTheNextTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArchipelago(t, 3, 1)
		for range 20 {
			<-time.After(time.Second) // synctest
			y, x := a.follower()
			for _, z := range a.all {
				if z != x {
					a.cut(z) // what x writes stays here
				}
			}
			next := x.inst.raft.CurrentTerm() + 1
			header := raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(y.name), Addr: []byte(y.at)}
			for range 3 {
				go a.said.registry(t, x.Node, "own", 2)
			}
			a.sea.to(way{y.at, x.at}).take(raft.RPC{Command: &raft.AppendEntriesRequest{RPCHeader: header, Term: next}, RespChan: make(chan raft.RPCResponse, 1)})
			for range 3 {
				go a.said.registry(t, x.Node, "own", 2)
			}
			synctest.Wait()
			if x.inst.raft.State() == raft.Leader {
				t.Error("it has not heard of its successor")
			}
			var last raft.Log
			if err := x.store.GetLog(x.inst.raft.LastIndex(), &last); err != nil || last.Term >= next {
				t.Errorf("the last entry is of term %d, before the other has sent any, %v", last.Term, err)
			}
			a.sea.heal()
		}
	})
}
