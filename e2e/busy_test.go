package e2e

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/e2e/linear"
)

// busy is a cluster of three masters and two agents without frameworks of ours, under load:
// tasks that stay, a framework that launches, and clients of the store.
type busy struct {
	*netCluster
	f           *flow
	h           *linear.History
	clients     []*storeClient
	quiet       func() // ends launches and the store's clients
	undisturbed func()
}

// startBusy starts it; prepare is called when the hosts are there.
func startBusy(t *testing.T, prepare func(n *netCluster)) *busy {
	t.Helper()
	random := rand.New(rand.NewPCG(seedOf(t), 1))
	b := &busy{netCluster: newNet(t, 2, "none"), h: &linear.History{}}
	prepare(b.netCluster)
	b.up()
	b.undisturbed = b.steady(4)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range 3 {
		c := &storeClient{who: i, space: b.space("c0", "linear"), h: b.h, values: map[string]string{}, random: rand.New(rand.NewPCG(random.Uint64(), uint64(i)))}
		b.clients = append(b.clients, c)
		all.Go(func() { c.run(ctx) })
	}
	var calm func()
	b.f, calm = startFlow(b.netCluster, "c0", 50)
	b.quiet = sync.OnceFunc(func() { calm(); stop(); all.Wait() })
	t.Cleanup(b.quiet)
	eventually(t, 20*time.Second, "the flow flows", func() bool { return b.f.acknowledged() > 50 })
	return b
}

// judge ends the load, and tells what was lost.
func (b *busy) judge() {
	b.t.Helper()
	b.settledNet()
	was := b.f.acknowledged()
	eventually(b.t, 20*time.Second, "launches go on", func() bool { return b.f.acknowledged() > was+20 })
	b.quiet()
	b.f.judge()
	for _, c := range b.clients {
		if len(c.odd) > 0 || c.slow > callBound {
			b.t.Errorf("client %d of the store: %v; its slowest call took %v", c.who, c.odd, c.slow)
		}
	}
	known, unknown := b.h.Counts()
	b.t.Logf("%v, and %d writes of which nobody knows", known, unknown)
	if err := b.h.Check(time.Minute); err != nil {
		b.t.Error(err)
	}
	b.undisturbed()
}
