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
	*traffic
	undisturbed func()
}

// startBusy starts it; prepare is called when the hosts are there.
func startBusy(t *testing.T, prepare func(n *netCluster)) *busy {
	t.Helper()
	random := rand.New(rand.NewPCG(seedOf(t), 1))
	b := &busy{netCluster: newNet(t, 2, "none")}
	prepare(b.netCluster)
	b.up()
	b.undisturbed = b.steady(4)
	b.traffic = b.startTraffic(random)
	return b
}

// judge ends the load, and tells what was lost.
func (b *busy) judge() {
	b.t.Helper()
	b.settledNet()
	began := time.Now()
	eventually(b.t, 20*time.Second, "launches go on", func() bool { return b.f.launchedSince(began) > 20 })
	b.quiet()
	b.traffic.judge()
	b.undisturbed()
}

// traffic is a framework that launches, and clients of the store.
type traffic struct {
	f       *flow
	h       *linear.History
	clients []*storeClient
	quiet   func() // ends launches and the store's clients
}

// startTraffic begins it, from the host c0.
func (n *netCluster) startTraffic(random *rand.Rand) *traffic {
	n.t.Helper()
	l := &traffic{h: &linear.History{}}
	ctx, stop := context.WithCancel(n.t.Context())
	var all sync.WaitGroup
	for i := range 3 {
		c := &storeClient{who: i, space: n.space("c0", "linear"), h: l.h, values: map[string]string{}, random: rand.New(rand.NewPCG(random.Uint64(), uint64(i)))}
		l.clients = append(l.clients, c)
		all.Go(func() { c.run(ctx) })
	}
	var calm func()
	l.f, calm = startFlow(n, "c0", 50)
	l.quiet = sync.OnceFunc(func() { calm(); stop(); all.Wait() })
	n.t.Cleanup(l.quiet)
	eventually(n.t, 20*time.Second, "the flow flows", func() bool { return l.f.acknowledged() > 50 })
	return l
}

// judge tells what was lost, when it is quiet.
func (l *traffic) judge() {
	t := l.f.t
	t.Helper()
	l.f.judge()
	for _, c := range l.clients {
		if len(c.odd) > 0 || c.slow > callBound {
			t.Errorf("client %d of the store: %v; its slowest call took %v: %s", c.who, c.odd, c.slow, c.slowly)
		}
		t.Logf("client %d of the store: %d writes, the slowest call took %v: %s", c.who, c.made, c.slow, c.slowly)
	}
	known, unknown := l.h.Counts()
	t.Logf("%v, and %d writes of which nobody knows", known, unknown)
	if err := l.h.Check(time.Minute); err != nil {
		t.Error(err)
	}
}
