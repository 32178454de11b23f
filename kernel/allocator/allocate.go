package allocator

import (
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Allocate makes the offers that are possible now, agent by agent in order of
// their ids, and writes them into the books. It looks only at agents on which
// something changed, and at the rest for those clients that woke up: to every
// other client nothing has become possible since the last time.
func (a *Allocator) Allocate(now time.Time) []Offering {
	a.Expire(now)
	if !a.Pending() {
		return nil
	}
	a.fresh()
	round := &round{now: now, woken: a.wokenClients()}
	if len(round.woken) == 0 {
		slices.SortFunc(a.changed, byID)
		for _, g := range a.changed {
			a.look(g, round)
		}
	} else {
		for _, g := range a.inOrder() {
			a.look(g, round)
		}
	}
	for _, g := range a.changed {
		g.listed, g.forAll, g.forSome = false, false, nil
	}
	clear(a.changed)
	a.changed = a.changed[:0]
	return round.made
}

// round is one call of Allocate.
type round struct {
	now   time.Time
	woken []*client
	made  []Offering
}

// wokenClients takes the list of woken clients, in serving order. When they are
// a good part of all, walking the tree is cheaper: then every agent is looked
// at for everyone, which finds the same.
func (a *Allocator) wokenClients() []*client {
	woken := a.woken
	a.woken = nil
	for _, c := range woken {
		c.woken = false
	}
	woken = slices.DeleteFunc(woken, func(c *client) bool { return c.node.live == 0 })
	if len(woken)*4 >= a.root.live {
		for _, g := range a.ordered {
			if len(woken) > 0 && g.active && len(g.free) > 0 {
				a.touch(g)
			}
		}
		return nil
	}
	slices.SortFunc(woken, compareLeaves)
	return woken
}

// look makes the offers of one agent.
func (a *Allocator) look(g *agent, r *round) {
	if !g.active || len(g.free) == 0 || a.hopeless(g) {
		return
	}
	a.visit++
	for first := true; len(g.free) > 0; first = false {
		c, part := a.pick(g, r, first)
		if c == nil {
			return
		}
		a.grant(g, c, part, r)
		if g.plain {
			return // at most head-room is left, and its role was asked first
		}
	}
}

// hopeless tells whether an agent has too little left for any offer at all.
func (a *Allocator) hopeless(g *agent) bool {
	return a.lowered == 0 && !g.spare.scalars.coversAny(a.minimum)
}

// pick is the first client in serving order that can be offered some of the
// agent now, and what.
func (a *Allocator) pick(g *agent, r *round, first bool) (*client, portion) {
	switch {
	case g.forAll && (first || a.hasPublic(g)):
		return a.walk(a.root, g, r.now)
	case g.forAll:
		for _, n := range a.reservedNodes(g) {
			if c, part := a.walk(n, g, r.now); c != nil {
				return c, part
			}
		}
		return nil, portion{}
	}
	order := r.woken
	if len(g.forSome) > 0 {
		a.scratch = append(append(a.scratch[:0], g.forSome...), r.woken...)
		order = a.scratch
	}
	if !slices.IsSortedFunc(order, compareLeaves) {
		slices.SortFunc(order, compareLeaves)
	}
	for _, c := range order {
		if c.node.live == 0 {
			continue
		}
		if part, ok := a.try(g, c, r.now); ok {
			return c, part
		}
	}
	return nil, portion{}
}

// hasPublic tells whether something is left that is reserved to nobody.
func (a *Allocator) hasPublic(g *agent) bool {
	return slices.ContainsFunc(a.publicPart(g).offer.all, func(x sdk.Resource) bool { return !x.IsReserved() })
}

// reservedNodes is the places in the tree to whom something of the agent is reserved.
func (a *Allocator) reservedNodes(g *agent) []*node {
	var roles []string
	for i := range g.free {
		roles = append(roles, g.free[i].ReservedRole())
	}
	slices.Sort(roles)
	var nodes []*node
	for _, role := range slices.Compact(roles) {
		if n, ok := a.roles[role]; ok && n.live > 0 {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// walk goes down the tree in serving order.
func (a *Allocator) walk(n *node, g *agent, now time.Time) (*client, portion) {
	if n.client != nil {
		if part, ok := a.try(g, n.client, now); ok {
			return n.client, part
		}
		return nil, portion{}
	}
	for _, kid := range n.active {
		if c, part := a.walk(kid, g, now); c != nil {
			return c, part
		}
	}
	return nil, portion{}
}

// try is what a client can be offered of an agent, if anything. In one visit of
// an agent each client is asked once: what is left only becomes less.
func (a *Allocator) try(g *agent, c *client, now time.Time) (portion, bool) {
	if c.visit == a.visit {
		return portion{}, false
	}
	c.visit = a.visit
	part := a.portionFor(g, c)
	if len(part.offer.all) == 0 || !a.enough(c, part.offer.scalars) || g.standing(c, &part.offer, now) != nil {
		return portion{}, false
	}
	return part, true
}

// enough tells whether an amount is not too small to be offered to a client.
func (a *Allocator) enough(c *client, amount vector) bool {
	if c.ownMinimum {
		return amount.coversAny(c.minimum)
	}
	return amount.coversAny(a.minimum)
}

// grant writes an offer into the books.
func (a *Allocator) grant(g *agent, c *client, part portion, r *round) {
	r.made = append(r.made, Offering{
		Holder:    Holder{Framework: c.framework.id, Role: c.role, Agent: g.id},
		Resources: a.stamped(part.offer.all, c.stamp),
	})
	a.hold(c, part.offer.scalars, true)
	i := slices.IndexFunc(g.holdings, func(h holding) bool { return h.client == c })
	switch {
	case i < 0:
		g.holdings = append(g.holdings, holding{client: c, offered: part.offer.all})
		c.holdings++
	case len(g.holdings[i].offered) == 0:
		g.holdings[i].offered = part.offer.all
	default:
		g.holdings[i].offered = g.holdings[i].offered.Add(part.offer.all)
	}
	if !plantCountOfferTwice {
		a.setFree(g, part.rest)
	}
}

// stamped is a copy of r with an allocation; it shares everything else.
func (a *Allocator) stamped(r sdk.Resources, stamp *sdk.AllocationInfo) sdk.Resources {
	out := a.room(len(r))
	for i := range r {
		out[i] = r[i]
		out[i].AllocationInfo = stamp
	}
	return out
}
