package allocator

import (
	"fmt"
	"maps"
	"slices"

	"github.com/profferhq/proffer/sdk"
)

// audit is what Check counts by itself.
type audit struct {
	total  vector
	held   map[*client]vector
	agents map[*client]int // on which it holds something
}

// Check recomputes books and shares from scratch and tells the first
// difference, or the first agent that has more offered and used than it has in
// total (promise P4), unless it shrank or its tasks claimed it.
func (a *Allocator) Check() error {
	own := &audit{held: map[*client]vector{}, agents: map[*client]int{}}
	if len(a.ordered) != len(a.agents) || !slices.IsSortedFunc(a.inOrder(), byID) {
		return fmt.Errorf("the list of agents has %d entries for %d agents, or is not in order", len(a.ordered), len(a.agents))
	}
	for _, g := range a.ordered {
		if err := a.checkAgent(g, own); err != nil {
			return fmt.Errorf("agent %s: %w", g.id, err)
		}
	}
	if !own.total.equal(a.total) {
		return fmt.Errorf("all agents have %v in total, the books say %v", own.total, a.total)
	}
	return a.checkTree(own)
}

func (a *Allocator) checkAgent(g *agent, own *audit) error {
	own.total = own.total.plus(a.names.sum(nil, g.total))
	var taken sdk.Resources
	for _, h := range g.holdings {
		if len(h.offered) == 0 && len(h.used) == 0 {
			return fmt.Errorf("framework %s has an empty entry", h.client.framework.id)
		}
		for _, part := range []sdk.Resources{h.offered, h.used} {
			more := taken.Add(part)
			if !g.over && !more.Subtract(part).Equal(taken) {
				return fmt.Errorf("some of %s is handed out twice", part)
			}
			taken = more
			own.held[h.client] = own.held[h.client].plus(a.names.sum(nil, part))
		}
		own.agents[h.client]++
	}
	if !g.over && !g.total.Contains(taken) {
		return fmt.Errorf("%s is offered and used, there is only %s", taken, g.total)
	}
	if free := g.total.Subtract(taken); !free.Equal(g.free) {
		return fmt.Errorf("%q is free, the books say %q", free, g.free)
	}
	if !a.names.sum(nil, g.free).equal(g.spare.scalars) {
		return fmt.Errorf("the amount of what is free is wrong")
	}
	return nil
}

func (a *Allocator) checkTree(own *audit) error {
	held, live := map[*node]vector{}, map[*node]int{}
	clients := 0
	for _, id := range slices.Sorted(maps.Keys(a.frameworks)) {
		for _, c := range a.frameworks[id].sorted() {
			if c.holdings != own.agents[c] {
				return fmt.Errorf("framework %s in role %s holds on %d agents, the books say %d", id, c.role, own.agents[c], c.holdings)
			}
			if own.agents[c] > 0 {
				clients++
			}
			for n := c.node; n != nil; n = n.parent {
				held[n] = held[n].plus(own.held[c])
				live[n] += c.node.live
				if n.live > 0 && n.parent != nil && !slices.Contains(n.parent.active, n) {
					return fmt.Errorf("framework %s in role %s is not in the order of its siblings", id, c.role)
				}
			}
		}
	}
	if clients != len(own.agents) {
		return fmt.Errorf("%d holders are in the books of agents, %d are known", len(own.agents), clients)
	}
	a.fresh()
	return a.checkNode(a.root, held, live)
}

func (a *Allocator) checkNode(n *node, held map[*node]vector, live map[*node]int) error {
	if n.live != live[n] {
		return fmt.Errorf("below %q %d are live, the books say %d", n.name, live[n], n.live)
	}
	if n.parent != nil && (!n.held.equal(held[n]) || n.share != a.shareOf(n)) {
		return fmt.Errorf("below %q %v is held with share %g, the books say %v and %g", n.name, held[n], a.shareOf(n), n.held, n.share)
	}
	if !slices.IsSortedFunc(n.active, (*node).compare) {
		return fmt.Errorf("below %q siblings are not in serving order", n.name)
	}
	for _, kid := range n.active {
		if err := a.checkNode(kid, held, live); err != nil {
			return err
		}
	}
	return nil
}
