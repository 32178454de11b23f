package allocator

import (
	"maps"
	"slices"

	"github.com/profferhq/proffer/sdk"
)

// framework is what is known of a framework. One that only holds resources, its
// scheduler not seen yet or gone, is inactive.
type framework struct {
	id      sdk.FrameworkID
	active  bool
	gone    bool // removed; forgotten with its last holding
	added   bool // not only named by a claim
	able    map[sdk.Capability]bool
	clients map[string]*client // by role
}

// client is a framework in one of its roles: a leaf in the tree of shares.
type client struct {
	framework  *framework
	role       string
	node       *node
	stamp      *sdk.AllocationInfo // on everything offered to it
	system     bool
	wanted     bool // the framework is subscribed with this role
	suppressed bool
	minimum    []vector // its own smallest offers, instead of the allocator's
	ownMinimum bool

	epoch    uint64 // of its filters
	filtered int    // valid filters
	holdings int    // agents on which it holds something

	woken bool
	visit uint64 // the last visit of an agent in which it was asked
}

func (f *framework) sorted() []*client {
	list := make([]*client, 0, len(f.clients))
	for _, role := range slices.Sorted(maps.Keys(f.clients)) {
		list = append(list, f.clients[role])
	}
	return list
}

// known is a framework's entry, made inactive when it is new.
func (a *Allocator) known(id sdk.FrameworkID) *framework {
	f, ok := a.frameworks[id]
	if !ok {
		f = &framework{id: id, clients: map[string]*client{}}
		a.frameworks[id] = f
	}
	return f
}

// client is a framework's entry in a role, made when it is new.
func (a *Allocator) client(f *framework, role string) *client {
	if c, ok := f.clients[role]; ok {
		return c
	}
	n := a.role(role)
	if n.own == nil {
		n.own = newNode(n, ".")
	}
	c := &client{
		framework: f, role: role,
		stamp:  &sdk.AllocationInfo{Role: role},
		system: role == SystemRole || sdk.IsSubrole(role, SystemRole),
	}
	c.node = newNode(n.own, string(f.id))
	c.node.client = c
	f.clients[role] = c
	return c
}

// collect forgets a client that neither holds nor wants anything, and its
// framework when it was the last of it.
func (a *Allocator) collect(c *client) {
	f := c.framework
	if c.holdings > 0 || (c.wanted && !f.gone) {
		return
	}
	a.setLive(c.node, false)
	a.forget(c)
	if c.ownMinimum {
		c.ownMinimum = false
		a.lowered--
	}
	if f.clients[c.role] != c {
		return
	}
	delete(f.clients, c.role)
	a.prune(c)
	if len(f.clients) == 0 && (f.gone || !f.added) {
		delete(a.frameworks, f.id)
	}
}

// settle makes a client live or not as its state says; whoever becomes live is woken.
func (a *Allocator) settle(c *client) {
	live := c.framework.active && !c.framework.gone && c.wanted && !c.suppressed
	if live && c.node.live == 0 {
		a.wake(c)
	}
	a.setLive(c.node, live)
}

// AddFramework adds a framework, active; one that is known is updated and activated.
func (a *Allocator) AddFramework(info Framework) {
	f := a.known(info.ID)
	f.added, f.active, f.gone = true, true, false
	a.UpdateFramework(info)
}

// UpdateFramework changes roles, suppression, capabilities and smallest offers.
// In a role that it leaves a framework keeps what it holds.
func (a *Allocator) UpdateFramework(info Framework) {
	f, ok := a.frameworks[info.ID]
	if !ok || f.gone {
		return
	}
	f.able = map[sdk.Capability]bool{}
	for _, capability := range info.Capabilities {
		f.able[capability] = true
	}
	for _, role := range info.Roles {
		a.client(f, role)
	}
	for _, c := range f.sorted() {
		c.wanted = slices.Contains(info.Roles, c.role)
		if !c.wanted {
			a.forget(c)
		}
		c.suppressed = slices.Contains(info.Suppressed, c.role)
		a.setMinimum(c, info.OfferFilters[c.role].MinAllocatableResources)
		a.settle(c)
		if c.node.live > 0 {
			a.wake(c)
		}
		a.collect(c)
	}
}

func (a *Allocator) setMinimum(c *client, own *sdk.MinAllocatableResources) {
	if c.ownMinimum {
		a.lowered--
	}
	c.ownMinimum, c.minimum = own != nil, nil
	if own == nil {
		return
	}
	a.lowered++
	for _, alternative := range own.Quantities {
		v := vector{}
		for _, name := range slices.Sorted(maps.Keys(alternative.Quantities)) {
			i := a.names.of(name)
			v = v.grown(i + 1)
			v[i] = sdk.Millis(alternative.Quantities[name].Value)
		}
		c.minimum = append(c.minimum, v)
	}
}

// ActivateFramework lets a framework be offered again.
func (a *Allocator) ActivateFramework(id sdk.FrameworkID) { a.setActive(id, true) }

// DeactivateFramework stops offers to a framework and forgets its filters; the
// owner recovers the offers that it has.
func (a *Allocator) DeactivateFramework(id sdk.FrameworkID) { a.setActive(id, false) }

func (a *Allocator) setActive(id sdk.FrameworkID, active bool) {
	f, ok := a.frameworks[id]
	if !ok || f.gone {
		return
	}
	f.active = active
	for _, c := range f.sorted() {
		if !active {
			a.forget(c)
		}
		a.settle(c)
	}
}

// RemoveFramework ends a framework. What it holds stays in the books until the
// owner recovers and releases it: its tasks still use it.
func (a *Allocator) RemoveFramework(id sdk.FrameworkID) {
	f, ok := a.frameworks[id]
	if !ok {
		return
	}
	f.active, f.gone = false, true
	for _, c := range f.sorted() {
		a.forget(c)
		a.settle(c)
		a.collect(c)
	}
	if len(f.clients) == 0 {
		delete(a.frameworks, id)
	}
}

// inRoles calls do for a framework's clients in these roles, all when none are named.
func (a *Allocator) inRoles(id sdk.FrameworkID, roles []string, do func(*client)) {
	f, ok := a.frameworks[id]
	if !ok {
		return
	}
	for _, c := range f.sorted() {
		if len(roles) == 0 || slices.Contains(roles, c.role) {
			do(c)
		}
	}
}

// Suppress stops offers to a framework in these roles (all when none are named).
func (a *Allocator) Suppress(id sdk.FrameworkID, roles ...string) {
	a.inRoles(id, roles, func(c *client) {
		c.suppressed = true
		a.settle(c)
	})
}

// Revive ends suppression and forgets refusals in these roles (all when none are named).
func (a *Allocator) Revive(id sdk.FrameworkID, roles ...string) {
	a.inRoles(id, roles, func(c *client) {
		c.suppressed = false
		a.forget(c)
		a.settle(c)
		if c.node.live > 0 {
			a.wake(c)
		}
	})
}
