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
	seed := seedOf(t)
	t.Logf("PROFFER_SEED=%d", seed)
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
				a := newArchipelago(t, 3, seed)
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
				<-time.After(away + time.Duration(a.dice.IntN(1000))*time.Millisecond) // synctest
				leader = a.leader()
				<-time.After(time.Duration(a.dice.IntN(1000)) * time.Millisecond) // synctest; what is on its way is so in any phase
				back()
				for heard := time.Now(); !x.inst.raft.LastContact().After(heard) || leader.inst.others.away(raft.ServerID(x.name), leader.inst.raft.CurrentTerm()); {
					if time.Since(heard) > 3*time.Second {
						t.Fatal("they do not hear each other")
					}
					<-time.After(5 * time.Millisecond) // synctest
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

// A master that comes back at another address is found there.
func TestAVoterThatHasMovedIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArchipelago(t, 3, 1)
		x, leader := a.follower()
		a.end(x)
		a.said.registry(t, leader.Node, "away", 2)
		<-time.After(time.Minute) // synctest
		x.at = "elsewhere"
		a.open(x)
		if err := leader.AddVoter(t.Context(), Voter{Name: x.name, Address: string(x.at)}); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second) // synctest
		a.said.check(t, x)
	})
}

// straight is a transport to one island that no cut concerns.
type straight struct {
	raft.Transport
	to *port
}

func (s straight) AppendEntries(_ raft.ServerID, _ raft.ServerAddress, q *raft.AppendEntriesRequest, a *raft.AppendEntriesResponse) error {
	answer := make(chan raft.RPCResponse, 1)
	s.to.take(raft.RPC{Command: q, RespChan: answer})
	r := <-answer
	*a = *r.Response.(*raft.AppendEntriesResponse)
	return r.Error
}

// P1, P23: a deposed leader takes nothing for committed that only it has written, although
// raft tells it of a commit at the same indexes before it sends what stands there: its
// goroutine was not run between the look at the log and that at the commits.
func TestACommitIsOfWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArchipelago(t, 3, 1)
		x := a.leader()
		common := x.inst.raft.LastIndex()
		a.cut(x)
		for i := range 4 {
			go a.said.registry(t, x.Node, fmt.Sprintf("own%d", i), 2)
		}
		<-time.After(3 * time.Second) // synctest; another leads
		if got := x.inst.raft.LastIndex(); got != common+4 {
			t.Fatalf("the deposed one has %d entries of its own", got-common)
		}
		y := a.leader()
		for i := range 3 {
			a.said.registry(t, y.Node, fmt.Sprintf("other%d", i), 2)
		}
		l := listening{straight{to: a.sea.to(way{y.at, x.at})}, y.inst.heard, newOthers(), y.inst.in, newBridge(y.opts.Log, "raft")}
		var entry raft.Log
		if err := y.store.GetLog(common, &entry); err != nil {
			t.Fatal(err)
		}
		q := &raft.AppendEntriesRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(y.name), Addr: []byte(y.at)},
			Term: y.inst.raft.CurrentTerm(), PrevLogEntry: common, PrevLogTerm: entry.Term, LeaderCommitIndex: common + 4}
		var answer raft.AppendEntriesResponse
		if err := l.AppendEntries(raft.ServerID(x.name), x.at, q, &answer); err != nil || !answer.Success {
			t.Fatal(err, answer)
		}
		a.sea.heal()
		<-time.After(3 * time.Second) // synctest
		a.said.check(t, x)
		for i := range 4 {
			if name := fmt.Sprintf("own%d", i); weightOf(x.Node, name) != weightOf(y.Node, name) {
				t.Errorf("%s has %s, which was never committed", x.name, name)
			}
		}
		piped := &sentInto{}
		if _, err := (noted{piped, "m2", newOthers()}).AppendEntries(&raft.AppendEntriesRequest{Term: 7, PrevLogEntry: 20, Entries: make([]*raft.Log, 2), LeaderCommitIndex: 30}, nil); err != nil || piped.last.LeaderCommitIndex != 22 {
			t.Errorf("into a pipeline goes %+v, %v", piped.last, err)
		}
	})
}

// sentInto is a pipeline that keeps the last request.
type sentInto struct {
	raft.AppendPipeline
	last *raft.AppendEntriesRequest
}

func (s *sentInto) AppendEntries(q *raft.AppendEntriesRequest, _ *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	s.last = q
	return nil, nil
}
