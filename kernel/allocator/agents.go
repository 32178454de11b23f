package allocator

import (
	"slices"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// agent is the books of one agent. All amounts are normalized, without
// allocation stamps, and immutable: changes replace them.
type agent struct {
	id       sdk.AgentID
	total    sdk.Resources
	amount   vector // of total
	free     sdk.Resources
	spare    measure // of free
	holdings []holding
	filters  map[*client][]*filter

	active bool
	gone   bool
	over   bool // more is offered and used than there is: it shrank, or claimed too much
	plain  bool // nothing reserved, revocable, shared: every role sees the same
	gpus   bool

	public    portion // of those outside the system role, when publicSet
	publicSet bool
	space     [2][4]int64 // the scalars of spare and public, mostly

	listed  bool
	forAll  bool
	forSome []*client
}

// holding is what one client has of an agent.
type holding struct {
	client  *client
	offered sdk.Resources
	used    sdk.Resources
}

func byID(x, y *agent) int { return strings.Compare(string(x.id), string(y.id)) }

// AddAgent adds an agent, active, with what is already used on it: tasks that
// survived a leader. An agent that is known keeps its offers, takes the new
// total, and what is used on it becomes what the claims say.
func (a *Allocator) AddAgent(info Agent, used []Claim) {
	g, known := a.agents[info.ID]
	if !known {
		g = &agent{id: info.ID}
		g.spare.scalars, g.public.offer.scalars = g.space[0][:0], g.space[1][:0]
		a.agents[info.ID] = g
		if n := len(a.ordered); n > 0 && a.ordered[n-1].id > g.id {
			a.unordered = true
		}
		a.ordered = append(a.ordered, g)
	}
	for i := len(g.holdings) - 1; i >= 0; i-- {
		a.setHolding(g, g.holdings[i].client, g.holdings[i].offered, nil)
	}
	g.active = true
	a.setTotal(g, info.Total)
	for _, claim := range used {
		a.claim(g, claim)
	}
	a.recount(g)
	a.touch(g)
}

// UpdateAgent changes what an agent has. The owner first recovers the offers
// that are out on it, or they may be more than what is left.
func (a *Allocator) UpdateAgent(info Agent) {
	if g, ok := a.agents[info.ID]; ok {
		a.setTotal(g, info.Total)
		a.recount(g)
		a.touch(g)
	}
}

func (a *Allocator) setTotal(g *agent, total sdk.Resources) {
	a.total = a.total.minus(g.amount)
	g.total = total.WithoutAllocation()
	g.amount = a.names.sum(nil, g.total)
	a.total = a.total.plus(g.amount)
	a.stale = true
	g.plain, g.gpus = true, g.total.Millis("gpus") > 0
	for i := range g.total {
		x := &g.total[i]
		if x.IsReserved() || x.Revocable != nil || x.Shared != nil {
			g.plain = false
		}
	}
}

// recount computes what is free from scratch.
func (a *Allocator) recount(g *agent) {
	var taken sdk.Resources
	for i := range g.holdings {
		taken = taken.Add(g.holdings[i].offered).Add(g.holdings[i].used)
	}
	g.over = !g.total.Contains(taken)
	a.setFree(g, g.total.Subtract(taken))
}

func (a *Allocator) setFree(g *agent, free sdk.Resources) {
	g.free = free
	g.spare = a.measured(g.spare, free)
	g.publicSet = false
}

// ActivateAgent lets a deactivated agent be offered again.
func (a *Allocator) ActivateAgent(id sdk.AgentID) {
	if g, ok := a.agents[id]; ok && !g.active {
		g.active = true
		a.touch(g)
	}
}

// DeactivateAgent stops offers of an agent; its books stay.
func (a *Allocator) DeactivateAgent(id sdk.AgentID) {
	if g, ok := a.agents[id]; ok {
		g.active = false
	}
}

// RemoveAgent forgets an agent and everything offered and used on it.
func (a *Allocator) RemoveAgent(id sdk.AgentID) {
	g, ok := a.agents[id]
	if !ok {
		return
	}
	a.forgetAgent(g)
	for i := len(g.holdings) - 1; i >= 0; i-- {
		a.setHolding(g, g.holdings[i].client, nil, nil)
	}
	g.gone, g.active = true, false
	a.total = a.total.minus(g.amount)
	a.stale = true
	delete(a.agents, id)
	i, _ := slices.BinarySearchFunc(a.inOrder(), g, byID)
	a.ordered = slices.Delete(a.ordered, i, i+1)
}

// holdingOf is a client's entry in the books of an agent; an empty one when it
// has none.
func (g *agent) holdingOf(c *client) holding {
	for i := range g.holdings {
		if g.holdings[i].client == c {
			return g.holdings[i]
		}
	}
	return holding{client: c}
}

// setHolding writes a client's entry in the books of an agent, and its amount
// into the shares. What is free is the caller's to write.
func (a *Allocator) setHolding(g *agent, c *client, offered, used sdk.Resources) {
	i := slices.IndexFunc(g.holdings, func(h holding) bool { return h.client == c })
	if i < 0 {
		i = len(g.holdings)
		g.holdings = append(g.holdings, holding{client: c})
		c.holdings++
	}
	h := &g.holdings[i]
	before := a.names.sum(nil, h.offered).plus(a.names.sum(nil, h.used))
	after := a.names.sum(nil, offered).plus(a.names.sum(nil, used))
	h.offered, h.used = offered, used
	if !before.equal(after) {
		a.hold(c, after.minus(before), false)
	}
	if len(offered) == 0 && len(used) == 0 {
		g.holdings = slices.Delete(g.holdings, i, i+1)
		c.holdings--
		a.collect(c)
	}
}
