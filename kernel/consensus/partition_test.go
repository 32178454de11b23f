package consensus

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
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
	trans *raft.InmemTransport
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
		x := &island{name: name}
		node, err := newNode(o, func() raft.Transport { // a restart of the instance gets a new transport
			_, x.trans = raft.NewInmemTransportWithTimeout(raft.ServerAddress(name), 500*time.Millisecond)
			a.heal()
			return x.trans
		})
		if err != nil {
			t.Fatal(err)
		}
		x.Node = node
		if i > 0 {
			if err := node.Admit(); err != nil {
				t.Fatal(err)
			}
		}
		a.all = append(a.all, x)
		a.heal()
		go a.watch(x)
	}
	return a
}

// watch notes every term that the island leads, until the end of the test.
func (a *archipelago) watch(x *island) {
	for {
		select {
		case term := <-x.Leading():
			a.mu.Lock()
			if other, twice := a.terms[term.Number]; twice && other != x.name {
				a.t.Errorf("%s and %s both led term %d", other, x.name, term.Number)
			}
			a.terms[term.Number] = x.name
			a.mu.Unlock()
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

// P1, P3: over forty partitions, in virtual time, nothing that was answered as
// stored is lost, nobody leads a term twice, and all end with the same registry.
func TestPartitionsLoseNothingAnswered(t *testing.T) {
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
		store := func(round int) {
			for i := range 5 {
				role := fmt.Sprintf("r%d-%d", round, i)
				r, err := a.leader().Propose(t.Context(), weight(role, float64(i+1)))
				if err == nil && r.Err == nil {
					stored[role] = float64(i + 1)
				}
			}
		}
		for round := range 40 {
			store(round)
			cut := a.leader()
			a.cut(cut)
			<-time.After(3 * time.Second)
			if err := cut.VerifyLeader(t.Context()); err == nil {
				t.Fatalf("round %d: %s is cut off and still believes that it leads", round, cut.name)
			}
			store(round + 1000)
			a.heal()
			<-time.After(2 * time.Second)
		}
		if len(stored) < 300 {
			t.Errorf("only %d of 400 proposals were answered as stored", len(stored))
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
		if len(a.terms) < 30 {
			t.Errorf("only %d terms: the partitions did not bite", len(a.terms))
		}
		for _, x := range a.all {
			if err := x.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
