package consensus

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// joining is a node that asks to be added, with its log.
type joining struct {
	*Node
	addr string
	log  *lockedBuffer
}

func join(t *testing.T, name, dir string, change func(*Options), peers, founders []string) *joining {
	t.Helper()
	o := testOptions(t, name, dir)
	j := &joining{addr: o.Advertise, log: &lockedBuffer{}}
	o.Cluster, o.Member, o.Log = "test", registry.Member{Name: name, Command: registry.CommandVersion, Release: "1"}, textLog(j.log)
	if change != nil {
		change(&o)
	}
	j.Node = startNode(t, o)
	j.run(t, peers, founders)
	return j
}

func (j *joining) run(t *testing.T, peers, founders []string) {
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		j.Join(ctx, peers, founders)
	}()
	t.Cleanup(func() {
		cancel()
		<-over
	})
}

// until polls what becomes true soon; the bound is only for a failure.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ctx := bounded(t); !done(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func bootstrapped(o *Options) { o.Bootstrap = true }

func votersOf(n *Node) string {
	vs, _ := n.Voters(context.Background())
	var names []string
	for _, v := range vs {
		names = append(names, v.Name)
	}
	return strings.Join(names, " ")
}

// Masters that were told of one address join by themselves; what each understands is in
// the registry; one that starts anew with another release tells that.
func TestMastersJoinByThemselves(t *testing.T) {
	first := join(t, "m1", t.TempDir(), bootstrapped, nil, nil)
	awaitTerm(t, first.Node)
	peers := []string{first.addr}
	dir := t.TempDir()
	second := join(t, "m2", dir, nil, peers, nil)
	third := join(t, "m3", t.TempDir(), nil, peers, nil)
	until(t, "three vote", func() bool { return len(strings.Fields(votersOf(first.Node))) == 3 })
	until(t, "the registry knows them", func() bool { return second.told(second.opts.Member) && second.told(third.opts.Member) })
	peersSeen, err := third.Roster(bounded(t))
	if err != nil || len(peersSeen) != 3 || peersSeen[0].Trouble+peersSeen[1].Trouble+peersSeen[2].Trouble != "" {
		t.Errorf("the roster is %+v, %v", peersSeen, err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	again := join(t, "m2", dir, func(o *Options) {
		o.Listener.Close()
		o.Listener, o.Advertise = listen(t, second.addr), second.addr
		o.Member.Release = "2"
	}, nil, nil)
	until(t, "the registry knows the new release", func() bool { return again.told(again.opts.Member) })
}

// The first of the founders makes the cluster when all of them are there, and only one
// cluster comes of it; when it has lost its disk it makes none, and does not vote in the
// place of what it was.
func TestFoundersMakeOneCluster(t *testing.T) {
	var all []*joining
	var founders []string
	for _, name := range []string{"m1", "m2", "m3"} {
		j := join(t, name, t.TempDir(), nil, nil, nil)
		all, founders = append(all, j), append(founders, j.addr)
	}
	all[0].run(t, nil, founders)
	all[2].run(t, nil, founders)
	until(t, "two vote", func() bool { return len(strings.Fields(votersOf(all[0].Node))) == 2 })
	all[1].run(t, nil, founders)
	until(t, "three vote", func() bool { return len(strings.Fields(votersOf(all[1].Node))) == 3 })

	if err := all[0].Close(); err != nil {
		t.Fatal(err)
	}
	reborn := func(o *Options) {
		o.Listener.Close()
		o.Listener, o.Advertise = listen(t, all[0].addr), all[0].addr
	}
	same := join(t, "m1", t.TempDir(), reborn, nil, founders)
	until(t, "it is told why", func() bool {
		return strings.Contains(same.log.String(), "votes here already, and you have nothing of what it knew")
	})
	if !same.waits() || !strings.Contains(same.log.String(), "it has a cluster already") {
		t.Errorf("it takes part without a memory: %s", same.log.String())
	}
	if err := same.Close(); err != nil {
		t.Fatal(err)
	}
	other := join(t, "m4", t.TempDir(), reborn, nil, founders)
	until(t, "it is told whose place that is", func() bool { return strings.Contains(other.log.String(), "proffer cluster remove m1") })
	leader := all[1]
	until(t, "there is a leader", func() bool {
		if all[2].VerifyLeader(t.Context()) == nil {
			leader = all[2]
		}
		return leader.VerifyLeader(t.Context()) == nil
	})
	if err := leader.Remove(bounded(t), "m1", false); err != nil {
		t.Fatal(err)
	}
	until(t, "it votes in the place of the lost one", func() bool { return strings.Contains(votersOf(other.Node), "m4") })
}

// Whoever is of another cluster, has another key, or is too old, reads why it stays out.
func TestJoinIsRefusedInASentence(t *testing.T) {
	first := join(t, "m1", t.TempDir(), bootstrapped, nil, nil)
	awaitTerm(t, first.Node)
	if _, err := first.Propose(bounded(t), registry.Command{Type: registry.CommandBootstrap, Bootstrap: &registry.Bootstrap{ClusterID: "one", Name: "test"}}); err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	far := join(t, "m2", elsewhere, bootstrapped, nil, nil)
	awaitTerm(t, far.Node)
	if _, err := far.Propose(bounded(t), registry.Command{Type: registry.CommandBootstrap, Bootstrap: &registry.Bootstrap{ClusterID: "two", Name: "test"}}); err != nil {
		t.Fatal(err)
	}
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dir    string
		change func(*Options)
		want   string
	}{
		"another name": {t.TempDir(), func(o *Options) { o.Cluster = "other" }, `a master of the cluster \"test\", you were started for \"other\"`},
		"another key":  {t.TempDir(), func(o *Options) { o.Key = credential.NewKey() }, "you do not have this cluster's key"},
		"too old":      {t.TempDir(), func(o *Options) { o.Member.Command = 0 }, "upgrade it"},
		"another disk": {elsewhere, nil, "your directory belongs to the cluster two, this is one"},
	} {
		t.Run(name, func(t *testing.T) {
			j := join(t, "m2", c.dir, c.change, []string{first.addr}, nil)
			until(t, "it is told why", func() bool { return strings.Contains(j.log.String(), c.want) })
			if votersOf(first.Node) != "m1" {
				t.Errorf("it was added all the same: %q, %s", votersOf(first.Node), j.log.String())
			}
		})
	}
}

// An operator can add one that was told of nobody, hand over, and remove, but not so
// that no majority is left.
func TestOperatorsChangeTheVoters(t *testing.T) {
	first := join(t, "m1", t.TempDir(), bootstrapped, nil, nil)
	awaitTerm(t, first.Node)
	second := join(t, "m2", t.TempDir(), nil, nil, nil)
	if err := first.Invite(second.addr); err != nil {
		t.Fatal(err)
	}
	until(t, "two vote", func() bool { return votersOf(second.Node) == "m1 m2" })
	until(t, "one leads", func() bool { return first.VerifyLeader(t.Context()) == nil })
	for what, c := range map[string]struct {
		err  error
		want string
	}{
		"itself":      {first.Remove(bounded(t), "m1", false), "m1 leads; hand over first"},
		"unknown":     {first.Remove(bounded(t), "m7", false), "no master of the name"},
		"to unknown":  {first.Transfer(bounded(t), "m7"), "no master of the name"},
		"to itself":   {first.Transfer(bounded(t), "m1"), "leads already"},
		"nobody home": {first.Invite("127.0.0.1:1"), "refused"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: %v", what, c.err)
		}
	}
	if err := first.Transfer(bounded(t), "m2"); err != nil {
		t.Fatal(err)
	}
	until(t, "the other leads", func() bool { return second.VerifyLeader(t.Context()) == nil })
	if err := second.Remove(bounded(t), "m1", false); err != nil {
		t.Fatal(err)
	}
	if votersOf(second.Node) != "m2" {
		t.Errorf("the voters are %q", votersOf(second.Node))
	}
	if err := second.Invite(first.addr); err != nil {
		t.Fatal(err)
	}
	until(t, "it is back", func() bool { return votersOf(second.Node) == "m2 m1" })
	until(t, "one leads", func() bool { return second.VerifyLeader(t.Context()) == nil })
	if err := second.Remove(bounded(t), "m1", false); err != nil {
		t.Fatal(err)
	}
	if err := second.Transfer(bounded(t), ""); err == nil || !strings.Contains(err.Error(), "no other master") {
		t.Errorf("hand over to nobody: %v", err)
	}
}

// slowHand is a transport over which the first word to a successor takes longer than raft
// waits for it, or gets lost.
type slowHand struct {
	transport
	late time.Duration
	lost bool
	once *sync.Once
	over <-chan struct{}
}

func (s slowHand) TimeoutNow(id raft.ServerID, at raft.ServerAddress, q *raft.TimeoutNowRequest, a *raft.TimeoutNowResponse) error {
	lost := false
	s.once.Do(func() {
		select {
		case <-time.After(s.late):
			lost = s.lost
		case <-s.over:
		}
	})
	if lost {
		return nil
	}
	return s.transport.TimeoutNow(id, at, q, a)
}

// A handover that takes longer than an election time-out, as where the successor's disk is
// busy, is none that failed; and one that was lost on the way is tried again.
func TestHandingOverTakesItsTime(t *testing.T) {
	for name, lost := range map[string]bool{"late": false, "lost": true} {
		t.Run(name, func(t *testing.T) {
			first := join(t, "m1", t.TempDir(), bootstrapped, nil, nil)
			awaitTerm(t, first.Node)
			dial, once := first.dial, &sync.Once{}
			first.dial = func() raft.Transport { // from the restart on that makes room for a second voter
				return slowHand{dial().(transport), 2 * first.opts.Many.Election, lost, once, t.Context().Done()}
			}
			second := join(t, "m2", t.TempDir(), nil, []string{first.addr}, nil)
			until(t, "two vote", func() bool { return votersOf(second.Node) == "m1 m2" })
			until(t, "one leads", func() bool { return first.VerifyLeader(t.Context()) == nil })
			if err := first.Transfer(bounded(t), "m2"); err != nil {
				t.Fatal(err)
			}
			until(t, "the other leads", func() bool { return second.VerifyLeader(t.Context()) == nil })
		})
	}
}

func textLog(to *lockedBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// One that was removed does not come back by itself, not even after a restart, however
// soon after it had come that was; an operator can have it back.
func TestTheRemovedStayOut(t *testing.T) {
	first := join(t, "m1", t.TempDir(), bootstrapped, nil, nil)
	awaitTerm(t, first.Node)
	dir := t.TempDir()
	second := join(t, "m2", dir, nil, []string{first.addr}, nil)
	until(t, "two vote", func() bool { return len(strings.Fields(votersOf(second.Node))) == 2 })
	until(t, "one leads", func() bool { return first.VerifyLeader(t.Context()) == nil })
	if err := first.Remove(bounded(t), "m2", false); err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	again := join(t, "m2", dir, nil, []string{first.addr}, nil)
	until(t, "it is told", func() bool {
		return strings.Contains(again.log.String(), "does not come back by itself") || strings.Contains(votersOf(first.Node), "m2")
	})
	if votersOf(first.Node) != "m1" {
		t.Errorf("it came back by itself: %s", votersOf(first.Node))
	}
	if err := first.Invite(again.addr); err != nil {
		t.Fatal(err)
	}
	until(t, "it votes again", func() bool { return len(strings.Fields(votersOf(first.Node))) == 2 })
}

// Two masters that join a lone one at the same moment: raft is started anew once, and both
// vote. (It was started anew under the one that waited for it, which then waited minutes.)
func TestTwoJoinALoneMasterAtOnce(t *testing.T) {
	first := join(t, "m1", t.TempDir(), bootstrapped, nil, nil)
	awaitTerm(t, first.Node)
	var all sync.WaitGroup
	got := make([]*instance, 8)
	for i := range got {
		all.Go(func() {
			var err error
			if got[i], err = first.grow(bounded(t)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, inst := range got {
		if inst == nil || inst != got[0] || inst.solo {
			t.Errorf("the instances differ: %v", got)
		}
	}
}

// A master that is removed while it catches up does not vote afterwards, nor is it added
// again by itself; an operator can have it.
func TestTheRemovedDoNotArrive(t *testing.T) {
	first := join(t, "m1", t.TempDir(), bootstrapped, nil, nil)
	awaitTerm(t, first.Node)
	second := join(t, "m2", t.TempDir(), nil, nil, nil)
	q := question{About: askJoin, Cluster: "test", From: Voter{Name: "m2", Address: second.addr}, Member: second.opts.Member}
	added := make(chan error, 1)
	go func() { added <- first.add(bounded(t), q, 1<<62) }() // it is never so far
	until(t, "it is on its way", func() bool {
		peers, _ := first.Roster(t.Context())
		return len(peers) == 2 && first.VerifyLeader(t.Context()) == nil
	})
	if err := first.Remove(bounded(t), "m2", false); err != nil {
		t.Fatal(err)
	}
	if err := <-added; err == nil || !strings.Contains(err.Error(), "was removed before it voted") {
		t.Errorf("it was added: %v", err)
	}
	if a := first.reply(q); a.Granted || !a.Removed {
		t.Errorf("it is added again: %+v", a)
	}
	if first.told(q.Member) {
		t.Error("it is still a member")
	}
	if err := first.Invite(second.addr); err != nil {
		t.Fatal(err)
	}
	until(t, "it votes", func() bool { return votersOf(first.Node) == "m1 m2" })
}

// One that is removed before raft knows of it, while it is being added, does not vote
// either; who has come in by then is not called removed.
func TestTheRemovedDoNotArriveLater(t *testing.T) {
	first := join(t, "m1", t.TempDir(), bootstrapped, nil, nil)
	awaitTerm(t, first.Node)
	second := join(t, "m2", t.TempDir(), nil, nil, nil)
	q := question{About: askJoin, Cluster: "test", From: Voter{Name: "m2", Address: second.addr}, Member: second.opts.Member}
	if _, err := first.Propose(bounded(t), registry.Command{Type: registry.CommandMember, Member: &q.Member}); err != nil {
		t.Fatal(err)
	}
	if err := first.Remove(bounded(t), "m2", false); err != nil { // add has come so far
		t.Fatal(err)
	}
	if a := first.reply(q); a.Granted || !a.Removed {
		t.Errorf("it is added again: %+v", a)
	}
	if err := first.add(bounded(t), q, 0); err == nil || !strings.Contains(err.Error(), "was removed before it voted") { // and goes on
		t.Errorf("it was added: %v", err)
	}
	if peers, err := first.Roster(bounded(t)); err != nil || len(peers) != 1 || first.told(q.Member) {
		t.Errorf("it is still there: %+v %v", peers, err)
	}
	if err := first.Invite(second.addr); err != nil {
		t.Fatal(err)
	}
	until(t, "it votes", func() bool { return votersOf(first.Node) == "m1 m2" })
	if err := first.keepOut(bounded(t), "m2"); sdk.CodeOf(err) != sdk.CodeConflict || first.adding.barred("m2") {
		t.Errorf("it has come in: %v", err)
	}
}

// One that was removed and is invited asks before it has answered the invitation: it is
// not told that it was removed. Where nothing came of the invitation it stays out.
func TestTheInvitedAskAtOnce(t *testing.T) {
	first := join(t, "m1", t.TempDir(), bootstrapped, nil, nil)
	awaitTerm(t, first.Node)
	q := question{About: askJoin, Cluster: "test", From: Voter{Name: "m2", Address: "127.0.0.1:1"}, Member: registry.Member{Name: "m2", Command: registry.CommandVersion}}
	refusals, told := make(chan string, 1), make(chan answer, 1)
	var silent atomic.Bool
	ln := listen(t, "127.0.0.1:0")
	second := newStream(ln, ln.Addr().String(), testKey(), first.opts.Log, &silent)
	second.begin(func(in question) answer {
		a := answer{Name: "m2"}
		if in.About == askInvite {
			var t answer
			first.consider(q, &t)
			told <- t
			a.Refusal = <-refusals
		}
		return a
	}, func() bool { return true })
	t.Cleanup(second.stop)

	first.adding.bar("m2", true)
	for _, refusal := range []string{"not now", ""} {
		refusals <- refusal
		err := first.Invite(ln.Addr().String())
		if a := <-told; a.Removed || !a.Granted {
			t.Errorf("it was told %+v", a)
		}
		if refused := refusal != ""; refused != (err != nil) || refused != first.adding.barred("m2") {
			t.Errorf("its refusal is %q, the invitation's error %v, barred: %v", refusal, err, first.adding.barred("m2"))
		}
	}
}

// A removal of which only the first half was done is done by the next one.
func TestHalfARemoval(t *testing.T) {
	first := join(t, "m1", t.TempDir(), bootstrapped, nil, nil)
	awaitTerm(t, first.Node)
	old := registry.Member{Name: "m2", Command: 1}
	if _, err := first.Propose(bounded(t), registry.Command{Type: registry.CommandMember, Member: &old}); err != nil {
		t.Fatal(err)
	}
	if err := first.Remove(bounded(t), "m2", false); err != nil {
		t.Fatal(err)
	}
	if first.told(old) {
		t.Error("it holds the version of commands down for ever")
	}
	if err := first.Remove(bounded(t), "m2", false); err == nil || !strings.Contains(err.Error(), "no master of the name") {
		t.Errorf("once more: %v", err)
	}
}
