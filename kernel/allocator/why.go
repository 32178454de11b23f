package allocator

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Why tells why a framework is not offered more in a role now: one Refusal for
// all agents when the reason is its own, else one for each agent in order of
// their ids. Agents that would be offered to it if nobody went before are told
// as such.
func (a *Allocator) Why(now time.Time, id sdk.FrameworkID, role string) []Refusal {
	f, ok := a.frameworks[id]
	if !ok {
		return []Refusal{{Reason: fmt.Sprintf("framework %s is not known", id)}}
	}
	c, ok := f.clients[role]
	switch {
	case f.gone:
		return []Refusal{{Reason: "the framework is removed"}}
	case !f.active:
		return []Refusal{{Reason: "the framework is not connected"}}
	case !ok || !c.wanted:
		return []Refusal{{Reason: fmt.Sprintf("the framework is not subscribed with role %q", role)}}
	case c.suppressed:
		return []Refusal{{Reason: fmt.Sprintf("the framework has suppressed role %q; it ends with REVIVE", role)}}
	case len(a.agents) == 0:
		return []Refusal{{Reason: "there is no agent"}}
	}
	list := make([]Refusal, 0, len(a.agents))
	for _, g := range a.inOrder() {
		reason, until := a.whyAgent(g, c, now)
		list = append(list, Refusal{Agent: g.id, Reason: reason, Until: until})
	}
	return list
}

func (a *Allocator) whyAgent(g *agent, c *client, now time.Time) (string, time.Time) {
	none := time.Time{}
	if !g.active {
		return "the agent is deactivated", none
	}
	if len(g.free) == 0 {
		return "nothing is free: " + a.whoHas(g), none
	}
	if g.gpus && !c.framework.able[sdk.CapabilityGPUResources] {
		return "the agent has gpus, and the framework lacks the capability GPU_RESOURCES", none
	}
	part := a.portionFor(g, c)
	if len(part.offer.all) == 0 {
		return fmt.Sprintf("what is free (%s) is reserved to other roles, kept for role %s, or needs a capability", g.free, SystemRole), none
	}
	if !a.enough(c, part.offer.scalars) {
		return fmt.Sprintf("what is free (%s) is below the smallest offer", part.offer.all), none
	}
	if f := g.standing(c, &part.offer, now); f != nil {
		return fmt.Sprintf("the framework declined %s", f.declined.all), f.until
	}
	return fmt.Sprintf("nothing stands against it: %s is free for whoever is served first", part.offer.all), none
}

// whoHas sums up the holdings of an agent.
func (a *Allocator) whoHas(g *agent) string {
	var offered, used sdk.Resources
	for _, h := range g.holdings {
		offered, used = offered.Add(h.offered), used.Add(h.used)
	}
	return fmt.Sprintf("%s is used and %s is out in offers", orNothing(used), orNothing(offered))
}

func orNothing(r sdk.Resources) string {
	if len(r) == 0 {
		return "nothing"
	}
	return r.String()
}
