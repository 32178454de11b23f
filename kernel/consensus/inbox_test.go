package consensus

import (
	"strings"
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

// P3: a leader whose loop is at its disk, and can not look at the sign of life of its
// successor, is none any more for all others.
func TestALeaderThatHearsOfItsSuccessorStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArchipelago(t, 3, 1)
		y, x := a.follower()
		lost := x.deposed()
		if lost == nil || !x.leadsOthers() {
			t.Fatal("it does not lead")
		}
		last := x.inst.raft.LastIndex()
		x.inst.in.hear(successor{x.inst.raft.CurrentTerm() + 1, raft.ServerID(y.name), y.at}) // and raft does not
		synctest.Wait()
		select {
		case <-lost:
		default:
			t.Error("its term goes on")
		}
		if name, at, ok := x.Leader(); name != y.name || at != string(y.at) || !ok {
			t.Errorf("the leader is %q at %q, %t", name, at, ok)
		}
		if x.deposed() != nil || x.leadsOthers() || x.reply(question{}).Leads {
			t.Error("it says that it leads")
		}
		for what, err := range map[string]error{
			"a proposal": func() error { _, err := x.Propose(t.Context(), weight("a", 2)); return err }(),
			"a write":    func() error { _, err := x.ProposeStore(t.Context(), putCommand("a", "1")); return err }(),
			"a transfer": x.Transfer(t.Context(), ""),
		} {
			if err == nil || !strings.Contains(err.Error(), "does not lead") {
				t.Errorf("%s: %v", what, err)
			}
		}
		if x.inst.raft.LastIndex() != last {
			t.Error("it has written")
		}
		l := listening{x.inst.transport, x.inst.heard, x.inst.others, x.inst.in, nil}
		if err := l.TimeoutNow(raft.ServerID(y.name), y.at, &raft.TimeoutNowRequest{}, &raft.TimeoutNowResponse{}); err == nil {
			t.Error("it has its successor stand for election")
		}
	})
}
