package consensus

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
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
	name  string
	opts  Options
	trans *raft.InmemTransport
	left  chan struct{} // closed when its present process is not watched any more
}

// archipelago is a cluster of islands.
type archipelago struct {
	t     *testing.T
	all   []*island
	mu    sync.Mutex
	terms map[uint64]string // P3: at most one leader in each
	fault string            // the present one
}

func newArchipelago(t *testing.T, n int) *archipelago {
	t.Helper()
	a := &archipelago{t: t, terms: map[uint64]string{}}
	for i := range n {
		name := fmt.Sprintf("m%d", i+1)
		o := DefaultOptions()
		o.Name, o.Dir, o.Bootstrap = name, memoryDir(t), i == 0
		o.Log, o.Fatal = slog.New(slog.DiscardHandler), func(err error) { t.Errorf("fatal: %v", err) }
		x := &island{name: name, opts: o}
		a.all = append(a.all, x)
		a.open(x)
		if i > 0 {
			if err := x.Admit(); err != nil {
				t.Fatal(err)
			}
		}
	}
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
	node, err := newNode(x.opts, nil, new(atomic.Bool), func() raft.Transport { // a restart of the instance gets a new transport
		_, x.trans = raft.NewInmemTransportWithTimeout(raft.ServerAddress(x.name), 500*time.Millisecond)
		a.heal()
		return x.trans
	})
	if err != nil {
		a.t.Fatal(err)
	}
	if x.left != nil {
		close(x.left)
	}
	x.Node, x.left = node, make(chan struct{})
	a.heal()
	go a.watch(x.name, node, x.left)
}

// watch notes every term that the island leads, until the end of the test.
func (a *archipelago) watch(name string, node *Node, left <-chan struct{}) {
	for {
		select {
		case term := <-node.Leading():
			a.mu.Lock()
			if other, twice := a.terms[term.Number]; twice && other != name {
				a.t.Errorf("%s and %s both led term %d", other, name, term.Number)
			}
			a.terms[term.Number] = name
			a.mu.Unlock()
		case <-left:
			return
		case <-a.t.Context().Done():
			return
		}
	}
}

func (a *archipelago) heal() {
	for _, x := range a.all {
		for _, y := range a.all {
			if x != y && x.trans != nil && y.trans != nil {
				x.trans.Connect(y.trans.LocalAddr(), y.trans)
			}
		}
	}
}

func (a *archipelago) cut(x *island) {
	x.trans.DisconnectAll()
	for _, y := range a.all {
		y.trans.Disconnect(x.trans.LocalAddr())
	}
}

func (a *archipelago) leader() *island {
	a.t.Helper()
	for range 200 {
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
	a.t.Fatalf("no leader in ten seconds, while this is so: %s", a.fault)
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

// faults are what happens to a cluster in one round; each gives what mends it.
func (a *archipelago) faults() map[string]func() (mend func()) {
	return map[string]func() func(){
		"the leader is cut off": func() func() {
			cut := a.leader()
			a.cut(cut)
			<-time.After(3 * time.Second) // synctest
			if err := cut.VerifyLeader(a.t.Context()); err == nil {
				a.t.Errorf("%s is cut off and still believes that it leads", cut.name)
			}
			return a.heal
		},
		"nobody hears the leader": func() func() {
			x := a.leader()
			x.trans.DisconnectAll()
			return a.heal
		},
		"the leader hears one other only": func() func() {
			x := a.leader()
			for _, y := range a.all {
				if y != x {
					y.trans.Disconnect(x.trans.LocalAddr())
					break
				}
			}
			return a.heal
		},
		"a follower is cut off": func() func() {
			for _, x := range a.all {
				if x != a.leader() {
					a.cut(x)
					break
				}
			}
			return a.heal
		},
		"the leader's process ends": func() func() {
			x := a.leader()
			if err := x.Close(); err != nil {
				a.t.Error(err)
			}
			return func() { a.open(x) }
		},
		"the leader hands over": func() func() {
			if err := a.leader().Transfer(a.t.Context(), ""); err != nil {
				a.t.Log(err)
			}
			return func() {}
		},
		"the leader makes a snapshot": func() func() {
			if err := a.leader().Snapshot(a.t.Context()); err != nil {
				a.t.Error(err)
			}
			return func() {}
		},
	}
}

// answers are what was answered as stored in the registry, and in the store.
type answers struct {
	mu     sync.Mutex
	weight map[string]float64
	value  map[string]string
}

// registry proposes a weight, and tells whether it was answered as stored.
func (s *answers) registry(t *testing.T, n *Node, role string, w float64) bool {
	r, err := n.Propose(t.Context(), weight(role, w))
	if err != nil || r.Err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.weight[role] = w
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
	return true
}

// round proposes some of each to whoever leads.
func (s *answers) round(a *archipelago, round string) (tried, answered int) {
	for i := range 5 {
		name := fmt.Sprintf("r%s-%d", round, i)
		done := i < 3 && s.registry(a.t, a.leader().Node, name, float64(i+1)) || i >= 3 && s.store(a.t, a.leader().Node, name)
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
		func(name string) bool { return s.registry(t, n, name, 1) },
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

// P1, P3, P23: over some hundred faults, in virtual time, nothing that was answered as
// stored is lost, nobody leads a term twice, and all end with the same registry and store.
// The long form (PROFFER_SOAK) does so with one cluster after another, and makes some
// thousand changes of leaders.
func TestPartitionsLoseNothingAnswered(t *testing.T) {
	clusters, rounds := 1, 120
	if os.Getenv("PROFFER_SOAK") != "" {
		clusters = 60
	}
	begin, changes := time.Now(), 0
	for range clusters {
		changes += partitions(t, rounds)
	}
	took := time.Since(begin)
	t.Logf("%d changes of leaders in %v: %.0f a minute of wall clock", changes, took, float64(changes)/took.Minutes())
}

// partitions are that many faults of a new cluster; it tells how often the leader changed.
func partitions(t *testing.T, rounds int) (changes int) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	synctest.Test(t, func(t *testing.T) {
		a := newArchipelago(t, 3)
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
		said, lost, tried, answered := &answers{weight: map[string]float64{}, value: map[string]string{}}, 0, 0, 0
		count := func(t, a int) { tried, answered = tried+t, answered+a }
		faults := a.faults()
		names := slices.Sorted(maps.Keys(faults))
		for round := range rounds {
			count(said.round(a, fmt.Sprint(round)))
			stop := said.through(t, a.leader().Node, fmt.Sprint(round))
			a.fault = names[random.IntN(len(names))]
			mend := faults[a.fault]()
			count(said.round(a, fmt.Sprint(round, "x")))
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
		if len(a.terms) < rounds/3 {
			t.Errorf("only %d terms: the faults did not bite", len(a.terms))
		}
		changes = len(a.terms)
		t.Logf("%d terms; stored: %d in the registry, %d in the store; %d of %d proposals to the leader answered so; through the faults %d were not", changes,
			len(said.weight), len(said.value), answered, tried, lost)
		for _, x := range a.all {
			if err := x.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return changes
}
