package consensus

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// patient are three voters whose followers would wait for an hour.
func patient(t *testing.T) (leader *Node, others map[string]*Node, logs map[string]*lockedBuffer) {
	t.Helper()
	o := testOptions(t, "m1", t.TempDir())
	o.Bootstrap, o.Many = true, Pace(time.Second) // which a busy machine keeps
	leader = startNode(t, o)
	awaitTerm(t, leader)
	others, logs = map[string]*Node{}, map[string]*lockedBuffer{}
	for _, name := range []string{"m2", "m3"} {
		o := testOptions(t, name, t.TempDir())
		o.Many = Pace(time.Hour)
		logs[name] = &lockedBuffer{}
		o.Log = textLog(logs[name])
		others[name] = startNode(t, o)
		if err := others[name].Admit(); err != nil {
			t.Fatal(err)
		}
		if err := leader.AddVoter(bounded(t), Voter{Name: name, Address: o.Advertise}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := leader.Propose(bounded(t), weight("kept", 4)); err != nil {
		t.Fatal(err)
	}
	until(t, "all know it", func() bool { return weightOf(others["m2"], "kept") == 4 && weightOf(others["m3"], "kept") == 4 })
	return leader, others, logs
}

// TestADeadLeaderIsSucceededAtOnce: the first in line stands although no time-out of its
// own would end for an hour, and the other does not send anybody to the dead one.
func TestADeadLeaderIsSucceededAtOnce(t *testing.T) {
	leader, others, logs := patient(t)
	if err := leader.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"m3", "m2"} { // m3's turn is after m2's, an hour later
		select {
		case others[name].stream.broke <- struct{}{}:
		default: // it knows
		}
	}
	awaitTerm(t, others["m2"])
	if err := others["m2"].Barrier(bounded(t)); err != nil || weightOf(others["m2"], "kept") != 4 {
		t.Errorf("the successor has %v, %v", weightOf(others["m2"], "kept"), err)
	}
	until(t, "m3 follows m2", func() bool { name, _, _ := others["m3"].Leader(); return name == "m2" })
	if said := logs["m2"].String(); !strings.Contains(said, "the leader has died") {
		t.Errorf("m2 said %q", said)
	}
}

// TestALeaderThatStopsIsSucceededAtOnce: nobody waits for the end of its process.
func TestALeaderThatStopsIsSucceededAtOnce(t *testing.T) {
	leader, others, _ := patient(t)
	if err := leader.Close(); err != nil {
		t.Fatal(err)
	}
	awaitTerm(t, others["m2"])
}

// TestALivingLeaderIsNotSucceeded: a connection that ends means nothing by itself.
func TestALivingLeaderIsNotSucceeded(t *testing.T) {
	leader, others, _ := patient(t)
	inst, err := leader.instance()
	if err != nil {
		t.Fatal(err)
	}
	term := inst.raft.CurrentTerm()
	for _, n := range others {
		for range 3 {
			n.stream.broke <- struct{}{}
		}
		until(t, "it has looked", func() bool { return len(n.stream.broke) == 0 })
		if n.died(raft.ServerAddress(leader.opts.Advertise), nil) {
			t.Error("a leader that answers is taken for dead")
		}
	}
	if _, err := leader.Propose(bounded(t), weight("more", 5)); err != nil {
		t.Fatal(err)
	}
	if now := inst.raft.CurrentTerm(); now != term {
		t.Errorf("term %d after %d", now, term)
	}
}

func TestTheLongestLogStandsFirst(t *testing.T) {
	self := answer{Name: "m2", Last: 7}
	for _, c := range []struct {
		other answer
		first bool
	}{{answer{Name: "m3", Last: 8}, true}, {answer{Name: "m1", Last: 7}, true}, {answer{Name: "m3", Last: 7}, false}, {answer{Name: "m1", Last: 6}, false}, {answer{}, false}} {
		if before(c.other, self) != c.first {
			t.Errorf("%+v before %+v: %v", c.other, self, !c.first)
		}
	}
}

// TestNobodyIsSentToTheDead although raft still names it; should it lead again, then in
// another term.
func TestNobodyIsSentToTheDead(t *testing.T) {
	leader, others, _ := patient(t)
	n := others["m2"]
	inst, err := n.instance()
	if err != nil {
		t.Fatal(err)
	}
	at, term := raft.ServerAddress(leader.opts.Advertise), inst.raft.CurrentTerm()
	for _, c := range []struct {
		gone *departed
		ok   bool
	}{{nil, true}, {&departed{at, term}, false}, {&departed{at, term - 1}, true}, {&departed{"127.0.0.1:1", term}, true}} {
		n.gone.Store(c.gone)
		if _, _, ok := n.Leader(); ok != c.ok {
			t.Errorf("%+v: there is a leader: %v", c.gone, ok)
		}
	}
}
