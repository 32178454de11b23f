package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/e2e/lan"
	"github.com/profferhq/proffer/e2e/linear"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/store"
)

// seedOf is that of a story: a new one each time, or PROFFER_SEED.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("PROFFER_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	t.Logf("PROFFER_SEED=%d", seed)
	return seed
}

// callBound is what one call of the store may take: what the sdk promises of a client
// without patience, and what the machine needs.
const callBound = store.CallBound + 2*time.Second

// storeClient makes calls on few keys, one after the other, until ctx ends.
type storeClient struct {
	who    int
	space  *store.Space
	h      *linear.History
	random *rand.Rand
	made   int
	values map[string]string // what it has last seen, by key
	odd    []error
	slow   time.Duration // the slowest call
	slowly string        // what that was
}

func (c *storeClient) run(ctx context.Context) {
	kinds := []linear.Kind{linear.Get, linear.Get, linear.Get, linear.Put, linear.Swap, linear.Swap, linear.Swap, linear.Delete}
	for ctx.Err() == nil {
		call := linear.Call{Kind: kinds[c.random.IntN(len(kinds))], Key: fmt.Sprintf("k%d", c.random.IntN(4))}
		if call.Kind == linear.Put || call.Kind == linear.Swap {
			c.made++
			call.Value = fmt.Sprintf("%d-%d", c.who, c.made)
		}
		if call.Kind == linear.Swap {
			call.Old = c.values[call.Key]
		}
		began := time.Now()
		err := c.one(call)
		if took := time.Since(began); took > c.slow {
			c.slow, c.slowly = took, fmt.Sprintf("%s at %s: %v", call.Kind, began.UTC().Format("15:04:05.000"), err)
		}
		select {
		case <-time.After(time.Duration(c.random.IntN(10)) * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// one makes a call and writes down what is known of it.
func (c *storeClient) one(call linear.Call) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*callBound) // the sdk is to end it itself
	defer cancel()
	p := c.h.Begin(c.who, call)
	if call.Kind == linear.Get {
		kv, err := c.space.Get(ctx, call.Key)
		if err != nil && sdk.CodeOf(err) != sdk.CodeNotFound {
			return err // it was not read
		}
		c.values[call.Key] = string(kv.Value)
		p.Done(linear.Answer{Value: string(kv.Value)})
		return nil
	}
	txn := store.Txn{Then: []store.Op{store.Put(call.Key, []byte(call.Value))}}
	switch {
	case call.Kind == linear.Delete:
		txn.Then = []store.Op{store.Delete(call.Key)}
	case call.Kind == linear.Swap && call.Old == "":
		txn.If = []store.Compare{store.Absent(call.Key)}
	case call.Kind == linear.Swap:
		txn.If = []store.Compare{store.ValueIs(call.Key, []byte(call.Old))}
	}
	result, err := c.space.Commit(ctx, txn)
	switch code := sdk.CodeOf(err); {
	case err == nil:
		p.Done(linear.Answer{Held: result.Held})
		if result.Held {
			c.values[call.Key] = call.Value
		}
	case code == sdk.CodeUnknown:
		p.Done(linear.Answer{Unknown: true})
	case code != sdk.CodeUnavailable:
		c.odd = append(c.odd, fmt.Errorf("%s %s: %w", call.Kind, call.Key, err))
	}
	return err
}

// fault is one thing that goes wrong with a master for a while.
type fault struct {
	name string
	do   func(n *netCluster, victim string)
	undo func(n *netCluster, victim string)
}

// faults are those that masters get, each with the victim healthy before and after.
func faults() []fault {
	heal := func(n *netCluster, _ string) { n.sw.Heal() }
	everybody := func(n *netCluster) []string { return sorted(n.hosts) }
	return []fault{
		{"cut off", func(n *netCluster, v string) { n.sw.Between([]string{v}, everybody(n), lan.Link{Cut: true}) }, heal},
		{"deaf", func(n *netCluster, v string) { n.oneWay(n.others(v), []string{v}, lan.Link{Cut: true}) }, heal},
		{"mute", func(n *netCluster, v string) { n.oneWay([]string{v}, n.others(v), lan.Link{Cut: true}) }, heal},
		{"cut from one other", func(n *netCluster, v string) {
			n.sw.Between([]string{v}, n.others(v)[:1], lan.Link{Cut: true})
		}, heal},
		{"on a bad line", func(n *netCluster, v string) {
			n.sw.Between([]string{v}, everybody(n), lan.Link{Delay: 5 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.1, Duplicate: 0.05})
		}, heal},
		{"stopped", func(n *netCluster, v string) { n.signal(v, syscall.SIGSTOP) }, func(n *netCluster, v string) { n.signal(v, syscall.SIGCONT) }},
		{"killed", func(n *netCluster, v string) { n.kill(v) }, func(n *netCluster, v string) { n.start(v) }},
	}
}

// oneWay changes the directions from one group to another, and not those back.
func (n *netCluster) oneWay(from, to []string, l lan.Link) {
	for _, x := range from {
		for _, y := range to {
			n.sw.Set(x, y, l)
		}
	}
}

// TestStoreIsLinearizable: six clients, two of them of one master only each, work on the
// same four keys, while one master after the other, mostly the leader, has each of the
// faults. What they saw must fit one order. The long form (PROFFER_SOAK) has ten rounds.
func TestStoreIsLinearizable(t *testing.T) {
	rounds := 1
	if os.Getenv("PROFFER_SOAK") != "" {
		rounds = 10
	}
	random := rand.New(rand.NewPCG(seedOf(t), 1))
	n := startNet(t, 0, "none")
	h := &linear.History{}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var clients []*storeClient
	var all sync.WaitGroup
	for i, of := range [][]string{nil, nil, nil, {"m0"}, {"m1"}, {"m2"}} {
		c := &storeClient{who: i, space: n.space(fmt.Sprintf("c%d", i%2), "linear", of...), h: h, values: map[string]string{},
			random: rand.New(rand.NewPCG(random.Uint64(), uint64(i)))}
		clients = append(clients, c)
		all.Go(func() { c.run(ctx) })
	}
	for range rounds {
		list := faults()
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		for _, f := range list {
			victim := ""
			eventually(t, 20*time.Second, "somebody leads before the next fault", func() bool { victim = n.leader(); return victim != "" })
			if random.IntN(4) == 0 {
				victim = n.others(victim)[0]
			}
			n.sw.Note(victim + " is " + f.name)
			f.do(n, victim)
			n.pass(500*time.Millisecond + time.Duration(random.IntN(1500))*time.Millisecond)
			f.undo(n, victim)
			n.pass(time.Duration(random.IntN(500)) * time.Millisecond)
		}
	}
	eventually(t, 20*time.Second, "a write is done when all is well again", func() bool {
		_, err := n.space("c0", "linear").Commit(t.Context(), store.Txn{Then: []store.Op{store.Put("end", nil)}})
		return err == nil
	})
	stop()
	all.Wait()
	for _, c := range clients {
		if len(c.odd) > 0 || c.slow > callBound {
			t.Errorf("client %d: %v; its slowest call took %v: %s", c.who, c.odd, c.slow, c.slowly)
		}
		t.Logf("client %d: %d writes, the slowest call took %v: %s", c.who, c.made, c.slow, c.slowly)
	}
	known, unknown := h.Counts()
	t.Logf("%v, and %d writes of which nobody knows", known, unknown)
	if err := h.Check(time.Minute); err != nil {
		t.Error(err)
	}
	for _, k := range []linear.Kind{linear.Get, linear.Put, linear.Swap, linear.Delete} {
		if known[k] < 50*rounds {
			t.Errorf("only %d of %s: nothing was tested", known[k], k)
		}
	}
}

// pass lets time go by in which a fault does its work; nothing is waited for.
func (n *netCluster) pass(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-n.t.Context().Done():
	}
}
