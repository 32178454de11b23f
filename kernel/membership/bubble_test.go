package membership

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bubble is a cluster of members on a fabric, in virtual time.
type bubble struct {
	t   *testing.T
	net *fabric
	all []*Gossip
	end func() // waits until all have left: nothing may go on in a bubble that ends
}

func (b *bubble) addr(i int) string { return fmt.Sprintf("127.0.0.%d:7946", i+1) }

// newBubble starts n members that know the first three as seeds, as agents know masters.
func newBubble(t *testing.T, n int) *bubble {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var runs sync.WaitGroup
	b := &bubble{t: t, net: newFabric(), end: func() {
		cancel()
		runs.Wait()
		<-time.After(time.Minute) // synctest: probes under way end by time
	}}
	seeds := []string{b.addr(0), b.addr(1), b.addr(2)}
	for i := range n {
		role := RoleAgent
		if i < 3 {
			role = RoleMaster
		}
		g, err := New(Options{Name: fmt.Sprintf("m%d", i), Cluster: "test", Bind: "127.0.0.1", Port: 7946, Key: testKey(), Seeds: seeds,
			Meta: Meta{Role: role, HTTP: b.addr(i), Release: "1"}, Log: slog.New(slog.DiscardHandler), transport: b.net.port(b.addr(i))})
		if err != nil {
			t.Fatal(err)
		}
		b.all = append(b.all, g)
		runs.Go(func() { _ = g.Run(ctx) })
	}
	return b
}

// seen waits until each of the members sees exactly want of them; how long that took.
func (b *bubble) seen(members []*Gossip, want int, bound time.Duration, what string) time.Duration {
	b.t.Helper()
	begin := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		good := true
		for _, g := range members {
			good = good && len(g.Members()) == want
		}
		if good {
			return time.Since(begin)
		}
		if <-tick.C; time.Since(begin) > bound {
			for _, g := range members {
				b.t.Logf("%s sees %s", g.opts.Name, names(g))
			}
			b.t.Fatalf("after %v of virtual time not yet: %s", bound, what)
		}
	}
}

// split cuts the first k members off from the others, or mends that.
func (b *bubble) split(k int, is bool) {
	for i := range b.all {
		for j := range b.all {
			if i < k != (j < k) {
				b.net.cut(b.addr(i), b.addr(j), is)
			}
		}
	}
}

// Ten members that a long split has had forget each other find each other again: by
// itself memberlist would stay split for ever.
func TestMembersMergeAfterALongSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, 10)
		defer b.end()
		t.Logf("all found each other after %v", b.seen(b.all, 10, time.Minute, "all see all"))
		for round := range 3 {
			b.split(5, true)
			left, right := b.all[:5], b.all[5:]
			t.Logf("round %d: the split was seen after %v", round, b.seen(left, 5, 2*time.Minute, "the left half sees itself"))
			b.seen(right, 5, 2*time.Minute, "the right half sees itself")
			<-time.After(30 * time.Minute) // far beyond what memberlist remembers of the dead
			b.split(5, false)
			t.Logf("round %d: merged after %v", round, b.seen(b.all, 10, time.Minute, "all see all again"))
		}
	})
}

// One that nobody hears is suspected, although it hears the others; when it is heard
// again it is a member at once.
func TestAMemberThatNobodyHears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, 7)
		defer b.end()
		b.seen(b.all, 7, time.Minute, "all see all")
		for j := range 6 {
			b.net.cut(b.addr(6), b.addr(j), true)
		}
		t.Logf("not seen after %v", b.seen(b.all[:6], 6, time.Minute, "the others miss it"))
		for j := range 6 {
			b.net.cut(b.addr(6), b.addr(j), false)
		}
		t.Logf("seen again after %v", b.seen(b.all, 7, time.Minute, "all see all"))
	})
}
