package allocator

import (
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Allocator is the keeper of the books. New makes one.
type Allocator struct {
	names    *names
	minimum  []vector
	headRoom sdk.Resources
	unshared map[int]bool
	weights  map[string]float64

	agents     map[sdk.AgentID]*agent
	ordered    []*agent // all agents; by id unless unordered
	unordered  bool
	frameworks map[sdk.FrameworkID]*framework
	total      vector // of all agents

	root   *node
	roles  map[string]*node
	stale  bool   // shares and orders must be recomputed before they are used
	serial uint64 // of the last offer made

	filters expiries

	changed []*agent  // agents to look at in the next Allocate
	woken   []*client // clients that may now want any agent
	visit   uint64    // of one agent in Allocate; marks clients that were asked
	slab    []sdk.Resource
	scalars []sdk.Scalar
	scratch []*client
	lowered int // frameworks' roles with a smallest offer of their own
}

// New makes an allocator without agents and frameworks.
func New(o Options) *Allocator {
	a := &Allocator{
		names:      newNames(),
		headRoom:   o.HeadRoom.Unreserved(),
		unshared:   map[int]bool{},
		weights:    map[string]float64{},
		agents:     map[sdk.AgentID]*agent{},
		frameworks: map[sdk.FrameworkID]*framework{},
		root:       newNode(nil, ""),
		roles:      map[string]*node{},
	}
	for _, name := range o.Unshared {
		a.unshared[a.names.of(name)] = true
	}
	for role, weight := range o.Weights {
		a.weights[role] = weight
	}
	least := o.MinAllocatable
	if len(least) == 0 {
		least = []sdk.Resources{{sdk.NewScalar("cpus", 0.01)}, {sdk.NewScalar("mem", 32)}}
	}
	for _, r := range least {
		a.minimum = append(a.minimum, a.names.sum(nil, r))
	}
	return a
}

// weight is a role's weight, 1 unless a sensible one was set.
func (a *Allocator) weight(role string) float64 {
	if w := a.weights[role]; w > 0 && w <= sdk.MaxScalar {
		return w
	}
	return 1
}

// SetWeight changes a role's weight, by its full path (1 when it is zero,
// negative, absurd or not a number). It takes effect with the next offers.
func (a *Allocator) SetWeight(role string, weight float64) {
	a.weights[role] = weight
	if n, ok := a.roles[role]; ok {
		n.weight = a.weight(role)
		a.stale = true
	}
}

// Pending tells whether Allocate has something to look at.
func (a *Allocator) Pending() bool { return len(a.changed) > 0 || len(a.woken) > 0 }

// touch has an agent looked at for everyone in the next Allocate.
func (a *Allocator) touch(g *agent) {
	g.forAll = true
	a.list(g)
}

// touchFor has an agent looked at for one client in the next Allocate.
func (a *Allocator) touchFor(g *agent, c *client) {
	if !g.forAll {
		g.forSome = append(g.forSome, c)
	}
	a.list(g)
}

func (a *Allocator) list(g *agent) {
	if !g.listed {
		g.listed = true
		a.changed = append(a.changed, g)
	}
}

// wake has every agent looked at for a client in the next Allocate.
func (a *Allocator) wake(c *client) {
	if !c.woken {
		c.woken = true
		a.woken = append(a.woken, c)
	}
}

// inOrder is all agents by id.
func (a *Allocator) inOrder() []*agent {
	if a.unordered {
		slices.SortFunc(a.ordered, byID)
		a.unordered = false
	}
	return a.ordered
}

// fresh brings shares and orders up to date.
func (a *Allocator) fresh() {
	if a.stale {
		a.stale = false
		a.refresh(a.root)
	}
}

// Expire ends the filters whose time has come; the next Allocate looks again.
func (a *Allocator) Expire(now time.Time) {
	for _, f := range a.filters.due(now) {
		f.agent.dropFilter(f)
		f.client.filtered--
		if f.client.node.live > 0 {
			a.touchFor(f.agent, f.client)
		}
	}
}

// NextExpiry is when the next filter ends; false when there is none.
func (a *Allocator) NextExpiry() (time.Time, bool) { return a.filters.next() }
