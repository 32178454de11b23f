package allocator_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/sdk"
)

// model is what the owner of an allocator knows, kept the slow way: every offer
// and every use by itself. From it follows what may be offered, and what must.
type model struct {
	a, again *allocator.Allocator // the same calls are made to both
	now      time.Time
	headRoom sdk.Resources

	totals     map[sdk.AgentID]sdk.Resources
	inactive   map[sdk.AgentID]bool
	frameworks map[sdk.FrameworkID]*modelFramework
	offers     []allocator.Offering
	used       []allocator.Offering
	declined   []decline
}

type modelFramework struct {
	roles      []string
	suppressed map[string]bool
	active     bool
	able       []sdk.Capability
}

type decline struct {
	allocator.Holder
	resources sdk.Resources
	until     time.Time
}

// TestRandomOperations: after every step the books are right, two allocators
// given the same calls answer the same, no offer breaks a rule, and after
// Allocate nothing is left that some framework should have been offered:
// looking only at what changed finds all that looking at everything would.
func TestRandomOperations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			m.step(t)
			if err := m.a.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func newModel(t *rapid.T) *model {
	m := &model{
		now: time.Unix(1000, 0), totals: map[sdk.AgentID]sdk.Resources{}, inactive: map[sdk.AgentID]bool{},
		frameworks: map[sdk.FrameworkID]*modelFramework{},
	}
	if rapid.Bool().Draw(t, "headroom") {
		m.headRoom = sdk.Resources{sdk.NewScalar("cpus", 0.5), sdk.NewScalar("mem", 64)}
	}
	o := allocator.Options{HeadRoom: m.headRoom, Weights: map[string]float64{"a": 2}}
	m.a, m.again = allocator.New(o), allocator.New(o)
	return m
}

// both makes the same call to both allocators.
func (m *model) both(do func(*allocator.Allocator)) {
	do(m.a)
	do(m.again)
}

func (m *model) step(t *rapid.T) {
	switch rapid.IntRange(0, 13).Draw(t, "step") {
	case 0, 1:
		m.addAgent(t)
	case 2:
		m.changeAgent(t)
	case 3, 4:
		m.addFramework(t)
	case 5:
		m.changeFramework(t)
	case 6, 7:
		m.endUse(t)
	case 8:
		m.now = m.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
		m.both(func(a *allocator.Allocator) { a.Expire(m.now) })
	case 9, 10, 11:
		m.endOffer(t)
	default:
		m.allocate(t)
	}
}

func drawAgent(t *rapid.T) sdk.AgentID {
	return sdk.AgentID(rapid.SampledFrom([]string{"a1", "a2", "a3"}).Draw(t, "agent"))
}

func drawFramework(t *rapid.T) sdk.FrameworkID {
	return sdk.FrameworkID(rapid.SampledFrom([]string{"f1", "f2", "f3", "f4"}).Draw(t, "framework"))
}

func drawTotal(t *rapid.T) sdk.Resources {
	text := rapid.SampledFrom([]string{
		"cpus:4;mem:512;ports:[1-20]", "cpus:1;mem:64", "cpus:2;cpus(a):1;mem:256", "cpus(b/x):1;mem(a):64;cpus:0.5",
		"cpus:1;gpus:1", "cpus:0.4;mem:32", "mem:128;rack:{p,q}",
	}).Draw(t, "total")
	r, err := sdk.ParseResources(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (m *model) addAgent(t *rapid.T) {
	id := drawAgent(t)
	if _, known := m.totals[id]; known {
		return
	}
	total := drawTotal(t)
	m.totals[id] = total
	var claims []allocator.Claim
	if rapid.Bool().Draw(t, "claims") {
		part := m.part(t, total)
		h := allocator.Holder{Framework: drawFramework(t), Role: "a", Agent: id}
		claims = append(claims, allocator.Claim{Framework: h.Framework, Role: h.Role, Resources: part})
		if len(part) > 0 {
			m.used = append(m.used, allocator.Offering{Holder: h, Resources: part})
		}
	}
	m.both(func(a *allocator.Allocator) { a.AddAgent(allocator.Agent{ID: id, Total: total}, claims) })
}

func (m *model) changeAgent(t *rapid.T) {
	id := drawAgent(t)
	if _, known := m.totals[id]; !known {
		return
	}
	switch rapid.IntRange(0, 3).Draw(t, "change") {
	case 0:
		m.both(func(a *allocator.Allocator) { a.RemoveAgent(id) })
		delete(m.totals, id)
		delete(m.inactive, id)
		onIt := func(o allocator.Offering) bool { return o.Agent == id }
		m.offers, m.used = slices.DeleteFunc(m.offers, onIt), slices.DeleteFunc(m.used, onIt)
		m.declined = slices.DeleteFunc(m.declined, func(d decline) bool { return d.Agent == id })
	case 1:
		m.both(func(a *allocator.Allocator) { a.DeactivateAgent(id) })
		m.inactive[id] = true
	case 2:
		m.both(func(a *allocator.Allocator) { a.ActivateAgent(id) })
		delete(m.inactive, id)
	case 3:
		for i := len(m.offers) - 1; i >= 0; i-- {
			if m.offers[i].Agent == id {
				m.recover(t, i, 0)
			}
		}
		m.totals[id] = drawTotal(t)
		m.both(func(a *allocator.Allocator) { a.UpdateAgent(allocator.Agent{ID: id, Total: m.totals[id]}) })
	}
}

func (m *model) addFramework(t *rapid.T) {
	id := drawFramework(t)
	if f, known := m.frameworks[id]; known && !f.active {
		return
	}
	f := &modelFramework{active: true, suppressed: map[string]bool{}}
	f.roles = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "a/k", "b", "b/x/z", "system"}), 1, 2, rapid.ID[string]).Draw(t, "roles")
	if rapid.Bool().Draw(t, "gpus") {
		f.able = append(f.able, sdk.CapabilityGPUResources)
	}
	var suppressed []string
	if rapid.IntRange(0, 4).Draw(t, "suppressed") == 0 {
		suppressed = f.roles[:1]
		f.suppressed[f.roles[0]] = true
	}
	m.frameworks[id] = f
	m.declined = slices.DeleteFunc(m.declined, func(d decline) bool { return d.Framework == id && !slices.Contains(f.roles, d.Role) })
	m.both(func(a *allocator.Allocator) {
		a.AddFramework(allocator.Framework{ID: id, Roles: f.roles, Suppressed: suppressed, Capabilities: f.able})
	})
}

func (m *model) changeFramework(t *rapid.T) {
	id := drawFramework(t)
	f, known := m.frameworks[id]
	if !known {
		return
	}
	role := rapid.SampledFrom(f.roles).Draw(t, "role")
	mine := func(all bool) func(decline) bool {
		return func(d decline) bool { return d.Framework == id && (all || d.Role == role) }
	}
	switch rapid.IntRange(0, 4).Draw(t, "change") {
	case 0:
		m.both(func(a *allocator.Allocator) { a.Suppress(id, role) })
		f.suppressed[role] = true
	case 1:
		m.both(func(a *allocator.Allocator) { a.Revive(id, role) })
		delete(f.suppressed, role)
		m.declined = slices.DeleteFunc(m.declined, mine(false))
	case 2:
		m.both(func(a *allocator.Allocator) { a.DeactivateFramework(id) })
		f.active = false
		m.declined = slices.DeleteFunc(m.declined, mine(true))
	case 3:
		m.both(func(a *allocator.Allocator) { a.ActivateFramework(id) })
		f.active = true
	case 4:
		m.both(func(a *allocator.Allocator) { a.RemoveFramework(id) })
		delete(m.frameworks, id)
		m.declined = slices.DeleteFunc(m.declined, mine(true))
	}
}

// part is some of r.
func (m *model) part(t *rapid.T, r sdk.Resources) sdk.Resources {
	var out sdk.Resources
	for _, x := range r {
		switch {
		case rapid.IntRange(0, 2).Draw(t, "none") == 0:
		case x.Scalar != nil:
			x.Scalar = &sdk.Scalar{Value: sdk.FromMillis(rapid.Int64Range(1, sdk.Millis(x.Scalar.Value)).Draw(t, "amount"))}
			out = append(out, x)
		case x.Ranges != nil:
			g := rapid.SampledFrom(x.Ranges.Range).Draw(t, "range")
			x.Ranges = &sdk.Ranges{Range: []sdk.Range{{Begin: g.Begin, End: rapid.Uint64Range(g.Begin, g.End).Draw(t, "end")}}}
			out = append(out, x)
		default:
			x.Set = &sdk.Set{Item: []string{rapid.SampledFrom(x.Set.Item).Draw(t, "item")}}
			out = append(out, x)
		}
	}
	return out.Normalize()
}

func (m *model) endUse(t *rapid.T) {
	if len(m.used) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.used)-1).Draw(t, "use")
	u := m.used[i]
	m.used = slices.Delete(m.used, i, i+1)
	m.both(func(a *allocator.Allocator) {
		if err := a.Release(u.Holder, u.Resources); err != nil {
			t.Fatal(err)
		}
	})
}

func (m *model) endOffer(t *rapid.T) {
	if len(m.offers) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.offers)-1).Draw(t, "offer")
	refuse := time.Duration(rapid.IntRange(0, 60).Draw(t, "refuse")) * time.Second
	if rapid.Bool().Draw(t, "decline") {
		m.recover(t, i, refuse)
		return
	}
	o := m.offers[i]
	m.offers = slices.Delete(m.offers, i, i+1)
	used := m.part(t, o.Resources)
	if len(used) > 0 {
		m.used = append(m.used, allocator.Offering{Holder: o.Holder, Resources: used})
	}
	m.refused(o.Holder, o.Resources.Subtract(used), refuse)
	m.both(func(a *allocator.Allocator) {
		if err := a.Accept(m.now, o.Holder, o.Resources, used, refuse); err != nil {
			t.Fatal(err)
		}
	})
}

func (m *model) recover(t *rapid.T, i int, refuse time.Duration) {
	o := m.offers[i]
	m.offers = slices.Delete(m.offers, i, i+1)
	m.refused(o.Holder, o.Resources, refuse)
	m.both(func(a *allocator.Allocator) {
		if err := a.Recover(m.now, o.Holder, o.Resources, refuse); err != nil {
			t.Fatal(err)
		}
	})
}

func (m *model) refused(h allocator.Holder, rest sdk.Resources, refuse time.Duration) {
	f := m.frameworks[h.Framework]
	if f != nil && slices.Contains(f.roles, h.Role) && refuse > 0 && len(rest) > 0 {
		m.declined = append(m.declined, decline{h, rest.WithoutAllocation(), m.now.Add(refuse)})
	}
}

func (m *model) allocate(t *rapid.T) {
	made, again := m.a.Allocate(m.now), m.again.Allocate(m.now)
	if x, y := fmt.Sprint(summary(made)), fmt.Sprint(summary(again)); x != y {
		t.Fatalf("two runs differ:\n%s\n%s", x, y)
	}
	for _, o := range made {
		if why := m.forbids(o.Holder, o.Resources.WithoutAllocation()); why != "" {
			t.Fatalf("%s was offered to %s in role %s on %s, but %s", o.Resources, o.Framework, o.Role, o.Agent, why)
		}
		m.offers = append(m.offers, o)
	}
	for agent := range m.totals {
		for id, f := range m.frameworks {
			for _, role := range f.roles {
				h := allocator.Holder{Framework: id, Role: role, Agent: agent}
				if r := m.visible(h); m.forbids(h, r) == "" {
					t.Fatalf("%s of %s could be offered to %s in role %s, and was not; Why says %v", r, agent, id, role, m.a.Why(m.now, id, role))
				}
			}
		}
	}
}

func summary(offers []allocator.Offering) []string {
	var out []string
	for _, o := range offers {
		out = append(out, fmt.Sprint(o.Framework, o.Role, o.Agent, o.Resources))
	}
	return out
}

// free is what the model says is left of an agent for a role.
func (m *model) free(agent sdk.AgentID, role string) sdk.Resources {
	free, keep := m.totals[agent], m.headRoom
	var taken sdk.Resources
	for _, o := range slices.Concat(m.offers, m.used) {
		if o.Agent == agent {
			taken = taken.Add(o.Resources.WithoutAllocation())
			if o.Role == allocator.SystemRole {
				keep = keep.Subtract(o.Resources.WithoutAllocation())
			}
		}
	}
	free = free.Subtract(taken)
	if role != allocator.SystemRole {
		free = free.Subtract(keep)
	}
	return free
}

// visible is what a holder could be offered if nothing stood against it.
func (m *model) visible(h allocator.Holder) sdk.Resources {
	return m.free(h.Agent, h.Role).Filter(func(x *sdk.Resource) bool {
		role := x.ReservedRole()
		return role == "" || role == h.Role || sdk.IsSubrole(h.Role, role)
	})
}

// forbids tells why r may not be offered to a holder; empty when it may.
func (m *model) forbids(h allocator.Holder, r sdk.Resources) string {
	f := m.frameworks[h.Framework]
	switch {
	case m.inactive[h.Agent]:
		return "the agent is deactivated"
	case f == nil || !f.active:
		return "the framework is not active"
	case !slices.Contains(f.roles, h.Role) || f.suppressed[h.Role]:
		return "the role is suppressed or not the framework's"
	case len(r) == 0:
		return "there is nothing"
	case !m.visible(h).Contains(r):
		return fmt.Sprintf("only %s is visible", m.visible(h))
	case r.Millis("cpus") < 10 && r.Millis("mem") < 32000:
		return "it is too little"
	case m.totals[h.Agent].Millis("gpus") > 0 && !slices.Contains(f.able, sdk.CapabilityGPUResources):
		return "the agent has gpus"
	}
	for _, d := range m.declined {
		if d.Holder == h && m.now.Before(d.until) && d.resources.Contains(r) {
			return "it was declined"
		}
	}
	return ""
}
