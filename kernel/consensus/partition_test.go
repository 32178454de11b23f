package consensus

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
)

// island is a node whose network can be cut, in virtual time.
type island struct {
	*Node
	name string
	at   raft.ServerAddress
	opts Options
	left chan struct{} // closed when its present process is not watched any more
}

// archipelago is a cluster of islands.
type archipelago struct {
	t     *testing.T
	sea   *sea
	dice  *rand.Rand // of the script
	said  *answers
	reads atomic.Int64 // of which a quorum said that they are not stale
	all   []*island
	mu    sync.Mutex
	terms map[uint64]string // P3: at most one leader in each
	round int
	fault string // the present one
}

// newArchipelago is n voters that all know the same.
func newArchipelago(t *testing.T, n int, seed uint64) *archipelago {
	t.Helper()
	a := &archipelago{t: t, dice: rand.New(rand.NewPCG(seed, 1)), terms: map[uint64]string{}, said: &answers{weight: map[string]float64{}, value: map[string]string{}}}
	a.sea = newSea(seed, a.leads)
	dirs := make([]string, n)
	for i := range dirs {
		dirs[i] = memoryDir(t) // before the ending below, and so removed after it
	}
	t.Cleanup(func() {
		for _, x := range a.all {
			a.end(x)
		}
		<-time.After(2*lateness + callersWait) // synctest; what is on its way arrives: time stands still when the first goroutine has ended
	})
	for i := range n {
		name := fmt.Sprintf("m%d", i+1)
		o := DefaultOptions()
		o.Name, o.Dir, o.Bootstrap = name, dirs[i], i == 0
		o.Log, o.Fatal = slog.New(slog.DiscardHandler), func(err error) { t.Errorf("fatal: %v", err) }
		o.Trailing = 16 // so that who was cut off needs a snapshot
		x := &island{name: name, at: raft.ServerAddress(name), opts: o}
		a.all = append(a.all, x)
		a.open(x)
		if i > 0 {
			if err := x.Admit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, x := range a.all[1:] {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if err := a.leader().AddVoter(ctx, Voter{Name: x.name, Address: x.name}); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	for _, x := range a.all {
		m := &registry.Member{Name: x.name, Command: 1, Store: store.CommandVersion}
		if r, err := a.leader().Propose(t.Context(), registry.Command{Type: registry.CommandMember, Member: m}); err != nil || r.Err != nil {
			t.Fatal(err, r.Err)
		}
	}
	a.level()
	return a
}

// memoryDir is a directory whose syncs take no time, where there is one: nothing here
// loses power, and virtual time stands still while a real disk is waited for.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "proffer-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// open starts the process of an island on its disk.
func (a *archipelago) open(x *island) {
	a.t.Helper()
	node, err := newNode(x.opts, nil, new(atomic.Bool), func() raft.Transport { return a.sea.moor(x.at) })
	if err != nil {
		a.t.Fatal(err)
	}
	if x.left != nil {
		close(x.left)
	}
	x.Node, x.left = node, make(chan struct{})
	go a.watch(x.name, node, x.left)
}

// end ends the process of an island, and its connections. Its calls would else last for some
// virtual time, which stands still while somebody waits for a mutex that Close holds.
func (a *archipelago) end(x *island) {
	a.t.Helper()
	inst, err := x.instance()
	if err != nil {
		return // it has ended
	}
	inst.raft.RegisterObserver(raft.NewObserver(nil, false, func(o *raft.Observation) bool {
		if state, ok := o.Data.(raft.RaftState); ok && state == raft.Shutdown {
			_ = closeTransport(inst.transport)
		}
		return false
	}))
	if err := x.Close(); err != nil {
		a.t.Error(err)
	}
}

// leads notes who leads a term.
func (a *archipelago) leads(name string, term uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if other, twice := a.terms[term]; twice && other != name {
		a.t.Errorf("%s and %s both led term %d", other, name, term)
	}
	a.terms[term] = name
}

// led is how many terms have had a leader.
func (a *archipelago) led() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.terms)
}

// watch notes every term that the island leads, until the end of the test, and reads in it.
func (a *archipelago) watch(name string, node *Node, left <-chan struct{}) {
	for {
		select {
		case term := <-node.Leading():
			a.leads(name, term.Number)
			go a.read(name, node, term)
		case <-left:
			return
		case <-a.t.Context().Done():
			return
		}
	}
}

// read reads until the term is lost: when a quorum says that nobody else leads.
func (a *archipelago) read(name string, node *Node, term Term) {
	for first := true; ; first = false {
		before := a.said.latest()
		if node.VerifyLeader(a.t.Context()) == nil {
			a.reads.Add(1)
			for _, one := range before {
				if !one.holds(node) {
					a.t.Errorf("%s read in term %d without %s, which was answered as stored before", name, term.Number, one.name)
				}
			}
		}
		if first { // after a read that has nothing else to wait for
			a.said.registry(a.t, node, fmt.Sprintf("term%d", term.Number), 2)
		}
		select {
		case <-time.After(50 * time.Millisecond): // synctest
		case <-term.Lost:
			return
		}
	}
}

// cut cuts an island off from all others.
func (a *archipelago) cut(x *island) {
	a.mute(x)
	a.deafen(x)
}

// mute has nobody hear an island.
func (a *archipelago) mute(x *island) {
	for _, y := range a.all {
		a.sea.cut(x.at, y.at)
	}
}

// deafen has an island hear nobody.
func (a *archipelago) deafen(x *island) {
	for _, y := range a.all {
		a.sea.cut(y.at, x.at)
	}
}

func (a *archipelago) leader() *island {
	a.t.Helper()
	tries := 200
	if a.sea.rough() {
		tries = 2000 // it happens that one election after the other fails
	}
	for range tries {
		for _, x := range a.all {
			inst, err := x.instance()
			if err == nil && inst.raft.State() == raft.Leader && x.VerifyLeader(a.t.Context()) == nil {
				return x
			}
		}
		<-time.After(50 * time.Millisecond) // synctest
	}
	for _, x := range a.all {
		if inst, err := x.instance(); err != nil {
			a.t.Logf("%s: %v", x.name, err)
		} else {
			a.t.Logf("%s: %v", x.name, inst.raft.Stats())
		}
	}
	a.t.Fatalf("no leader after %d tries, while this is so: %s", tries, a.fault)
	return nil
}

// level waits until all have applied what the leader has. raft refuses its vote to a master
// that the log of the voter does not name yet, so the last one to be added can not be
// elected by one that has not heard of it.
func (a *archipelago) level() {
	a.t.Helper()
	for range 200 {
		last, behind := a.leader().inst.raft.LastIndex(), 0
		for _, x := range a.all {
			if x.inst.raft.AppliedIndex() < last {
				behind++
			}
		}
		if behind == 0 {
			return
		}
		<-time.After(50 * time.Millisecond) // synctest
	}
	a.t.Fatal("not all have the same after ten seconds")
}

// follower is one that does not lead.
func (a *archipelago) follower() (x *island, leader *island) {
	a.t.Helper()
	leader = a.leader()
	others := slices.DeleteFunc(slices.Clone(a.all), func(x *island) bool { return x == leader })
	return others[a.dice.IntN(len(others))], leader
}

// faults are what happens to a cluster in one round; each gives what mends it, when the sea
// is whole and calm again.
func (a *archipelago) faults() map[string]func() (mend func()) {
	nothing := func() {}
	cutOff := func(cut func(*island)) func() func() {
		return func() func() {
			x := a.leader()
			cut(x)
			<-time.After(3 * time.Second) // synctest
			if err := x.VerifyLeader(a.t.Context()); err == nil {
				a.t.Errorf("%s is cut off and still believes that it leads", x.name)
			}
			return nothing
		}
	}
	return map[string]func() func(){
		"the leader is cut off":                cutOff(a.cut),
		"the leader is cut off, and all of it": cutOff(func(x *island) { a.sea.refuse(x.at) }),
		"nobody hears the leader, for long":    cutOff(a.mute),
		"the leader hears nobody, for long":    cutOff(a.deafen),
		"nobody hears the leader":              func() func() { a.mute(a.leader()); return nothing },
		"the leader hears nobody":              func() func() { a.deafen(a.leader()); return nothing },
		"the leader does not hear one other":   func() func() { y, x := a.follower(); a.sea.cut(y.at, x.at); return nothing },
		"one other does not hear the leader":   func() func() { y, x := a.follower(); a.sea.cut(x.at, y.at); return nothing },
		"the leader hears late, and then nobody hears it": func() func() {
			x := a.leader()
			for _, y := range a.all {
				a.sea.lag(y.at, x.at, callersWait)
			}
			<-time.After(callersWait) // synctest
			a.mute(x)
			return nothing
		},
		"a follower is cut off": func() func() {
			x, _ := a.follower()
			a.cut(x)
			return nothing
		},
		"a follower is behind a snapshot": func() func() {
			x, _ := a.follower()
			a.cut(x)
			for i := range 20 {
				a.said.registry(a.t, a.leader().Node, fmt.Sprintf("s%d-%d", a.round, i), 2)
			}
			for _, y := range a.all { // whoever leads by now
				if err := y.Snapshot(a.t.Context()); err != nil {
					a.t.Error(err)
				}
			}
			return nothing
		},
		"the leader's process ends": func() func() {
			x := a.leader()
			a.end(x)
			return func() { a.open(x) }
		},
		"the leader hands over": func() func() {
			if err := a.leader().Transfer(a.t.Context(), ""); err != nil {
				a.t.Log(err)
			}
			return nothing
		},
		"the leader makes a snapshot": func() func() {
			if err := a.leader().Snapshot(a.t.Context()); err != nil {
				a.t.Error(err)
			}
			return nothing
		},
	}
}

// answers are what was answered as stored in the registry, and in the store.
type answers struct {
	mu     sync.Mutex
	weight map[string]float64
	value  map[string]string
	last   []answered
}

// answered is one of them: a role of the registry, or a key of the store.
type answered struct {
	name   string
	weight float64 // 0 for the store
}

// registry proposes a weight, which is not 1 as that of a role that was never heard of, and tells whether it was answered as stored.
func (s *answers) registry(t *testing.T, n *Node, role string, w float64) bool {
	r, err := n.Propose(t.Context(), weight(role, w))
	if err != nil || r.Err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.weight[role] = w
	s.last = append(s.last, answered{role, w})
	return true
}

// store proposes a value, and tells whether it was answered as stored.
func (s *answers) store(t *testing.T, n *Node, key string) bool {
	r, err := n.ProposeStore(t.Context(), putCommand(key, key))
	if err != nil || r.Err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value[key] = key
	s.last = append(s.last, answered{name: key})
	return true
}

// latest are the last few answers.
func (s *answers) latest() []answered {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.last[max(0, len(s.last)-8):])
}

// holds tells whether a node has what was answered.
func (one answered) holds(n *Node) bool {
	if one.weight != 0 {
		return weightOf(n, one.name) == one.weight
	}
	return valueOf(n, one.name) == one.name
}

// round proposes some of each to whoever leads.
func (s *answers) round(a *archipelago, round string) (tried, answered int) {
	for i := range 5 {
		name := fmt.Sprintf("r%s-%d", round, i)
		done := i < 3 && s.registry(a.t, a.leader().Node, name, float64(i+2)) || i >= 3 && s.store(a.t, a.leader().Node, name)
		if tried++; done {
			answered++
		}
	}
	return tried, answered
}

// through goes on proposing to a node, the one beside the other, whatever happens to it,
// until what it gives is called; that tells how many proposals had no such answer.
func (s *answers) through(t *testing.T, n *Node, round string) (stop func() (lost int)) {
	end := make(chan struct{})
	var lost atomic.Int64
	var all sync.WaitGroup
	for _, propose := range []func(name string) bool{
		func(name string) bool { return s.registry(t, n, name, 2) },
		func(name string) bool { return s.store(t, n, name) },
	} {
		all.Go(func() {
			for i := 0; ; i++ {
				if !propose(fmt.Sprintf("t%s-%d", round, i)) {
					lost.Add(1)
				}
				select {
				case <-time.After(400 * time.Millisecond): // synctest; less than a leader that is cut off believes in itself
				case <-end:
					return
				case <-t.Context().Done():
					return
				}
			}
		})
	}
	return func() int { close(end); all.Wait(); return int(lost.Load()) }
}

// check tells what an island has lost of it.
func (s *answers) check(t *testing.T, x *island) {
	t.Helper()
	x.View(func(r *registry.State) {
		for role, w := range s.weight {
			if r.Weight(role) != w {
				t.Errorf("%s lost %s, which was answered as stored", x.name, role)
			}
		}
	})
	for key, value := range s.value {
		if got := valueOf(x.Node, key); got != value {
			t.Errorf("%s has %q in its store as %s, which was answered as stored", x.name, got, key)
		}
	}
}

// P1, P3, P23: over some faults of masters and of the network between them, in virtual time, nothing that was answered as
// stored is lost, nobody leads a term twice, and all end with the same registry and store.
// The long form (PROFFER_SOAK) does so with one cluster after another, and makes some
// thousand changes of leaders.
func TestPartitionsLoseNothingAnswered(t *testing.T) {
	clusters, rounds := 1, 80
	if os.Getenv("PROFFER_SOAK") != "" {
		clusters = 60
	}
	seed, begin, changes := seedOf(t), time.Now(), 0
	for i := range clusters {
		changes += partitions(t, rounds, seed+uint64(i))
	}
	took := time.Since(begin)
	t.Logf("%d changes of leaders in %v: %.0f a minute of wall clock", changes, took, float64(changes)/took.Minutes())
}

// seedOf is PROFFER_SEED, or another every time.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	said := os.Getenv("PROFFER_SEED")
	if said == "" {
		return uint64(time.Now().UnixNano())
	}
	seed, err := strconv.ParseUint(said, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// partitions are that many faults of a new cluster; it tells how often the leader changed.
// The seed says which they are, and what befalls the messages; raft's own time-outs are not
// of it.
func partitions(t *testing.T, rounds int, seed uint64) (changes int) {
	t.Helper()
	t.Logf("PROFFER_SEED=%d", seed)
	synctest.Test(t, func(t *testing.T) {
		a := newArchipelago(t, 3, seed)
		said, lost, tried, answered := a.said, 0, 0, 0
		count := func(t, a int) { tried, answered = tried+t, answered+a }
		faults, weathers := a.faults(), weathers()
		var names []string // all of them, again and again
		for round := range rounds {
			a.round = round
			count(said.round(a, fmt.Sprint(round)))
			stop := said.through(t, a.leader().Node, fmt.Sprint(round))
			if len(names) == 0 {
				names = slices.Sorted(maps.Keys(faults))
				a.dice.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			}
			fault, weather := names[0], weathers[a.dice.IntN(len(weathers))]
			names = names[1:]
			a.fault = fault + ", in " + weather.name
			a.sea.turn(weather)
			mend := faults[fault]()
			count(said.round(a, fmt.Sprint(round, "x")))
			a.sea.heal()
			mend()
			a.fault = "nothing is"
			<-time.After(2 * time.Second)
			lost += stop()
		}
		if answered*10 < tried*7 || lost == 0 {
			t.Errorf("only %d of %d proposals were answered as stored, and %d made through the faults were not", answered, tried, lost)
		}
		last := a.leader()
		if err := last.Barrier(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * time.Second)
		synctest.Wait()
		for _, x := range a.all {
			said.check(t, x)
		}
		if changes = a.led(); changes < rounds {
			t.Errorf("only %d terms: the faults did not bite", changes)
		}
		if a.sea.count.snapshots == 0 {
			t.Error("nobody was sent a snapshot")
		}
		t.Logf("%d terms; stored: %d in the registry, %d in the store; %d of %d proposals to the leader answered so; through the faults %d were not; %d reads; %v", changes,
			len(said.weight), len(said.value), answered, tried, lost, a.reads.Load(), a.sea)
	})
	return changes
}

// P23: a leader that nobody hears any more does not read behind its successor, although the
// others' answers to what it sent before are long under way and go on to come.
func TestPartitionsHideNoSuccessor(t *testing.T) {
	rounds, seed := 200, seedOf(t)
	if os.Getenv("PROFFER_SOAK") != "" {
		rounds = 6000
	}
	t.Logf("PROFFER_SEED=%d", seed)
	synctest.Test(t, func(t *testing.T) {
		a, both := newArchipelago(t, 3, seed), 0
		for range rounds {
			x, lag := a.leader(), 600+a.dice.IntN(600)
			for _, y := range a.all {
				a.sea.lag(y.at, x.at, time.Duration(lag)*time.Millisecond)
			}
			<-time.After(time.Duration(100+a.dice.IntN(500)) * time.Millisecond)
			a.mute(x)
			leads := func(x *island) bool { return x.inst.raft.State() == raft.Leader }
			for range 150 {
				<-time.After(10 * time.Millisecond) // synctest
				if leads(x) && slices.ContainsFunc(a.all, func(y *island) bool { return y != x && leads(y) }) {
					both++
				}
			}
			a.sea.heal()
			<-time.After(2 * time.Second)
		}
		if both < rounds {
			t.Errorf("there were two leaders, of different terms, for %d ms only", 10*both)
		}
		t.Logf("%d terms; for %d ms there were two leaders; %d reads", a.led(), 10*both, a.reads.Load())
	})
}
