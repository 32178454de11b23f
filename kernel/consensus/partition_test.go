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
}

func newArchipelago(t *testing.T, n int) *archipelago {
	t.Helper()
	a := &archipelago{t: t, terms: map[uint64]string{}}
	for i := range n {
		name := fmt.Sprintf("m%d", i+1)
		o := DefaultOptions()
		o.Name, o.Dir, o.Bootstrap = name, t.TempDir(), i == 0
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
	a.t.Fatal("no leader in ten seconds")
	return nil
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

// P1, P3: over some hundred faults, in virtual time, nothing that was answered as
// stored is lost, nobody leads a term twice, and all end with the same registry. The
// long form (PROFFER_SOAK) makes some thousand changes of leaders.
func TestPartitionsLoseNothingAnswered(t *testing.T) {
	rounds := 120
	if os.Getenv("PROFFER_SOAK") != "" {
		rounds = 6000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	begin := time.Now()
	synctest.Test(t, func(t *testing.T) {
		a := newArchipelago(t, 3)
		for _, x := range a.all[1:] {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			if err := a.leader().AddVoter(ctx, Voter{Name: x.name, Address: x.name}); err != nil {
				t.Fatal(err)
			}
			cancel()
		}
		stored := map[string]float64{}
		tried := 0
		store := func(round string) {
			for i := range 5 {
				role := fmt.Sprintf("r%s-%d", round, i)
				tried++
				r, err := a.leader().Propose(t.Context(), weight(role, float64(i+1)))
				if err == nil && r.Err == nil {
					stored[role] = float64(i + 1)
				}
			}
		}
		faults := a.faults()
		names := slices.Sorted(maps.Keys(faults))
		for round := range rounds {
			store(fmt.Sprint(round))
			mend := faults[names[random.IntN(len(names))]]()
			store(fmt.Sprint(round, "x"))
			mend()
			<-time.After(2 * time.Second)
		}
		if len(stored)*10 < tried*7 {
			t.Errorf("only %d of %d proposals were answered as stored", len(stored), tried)
		}
		last := a.leader()
		if err := last.Barrier(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * time.Second)
		synctest.Wait()
		for _, x := range a.all {
			x.View(func(s *registry.State) {
				for role, w := range stored {
					if s.Weight(role) != w {
						t.Errorf("%s lost %s, which was answered as stored", x.name, role)
					}
				}
			})
		}
		if len(a.terms) < rounds/3 {
			t.Errorf("only %d terms: the faults did not bite", len(a.terms))
		}
		t.Logf("%d terms, %d proposals of which %d were answered as stored", len(a.terms), tried, len(stored))
		for _, x := range a.all {
			if err := x.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	t.Logf("took %v", time.Since(begin))
}
