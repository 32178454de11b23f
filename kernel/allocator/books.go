package allocator

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Accept ends an offer, or several offers of one holder together: of what was
// offered, used is in use from now on. The rest is free, and is not offered to
// the same framework and role again for refuse, unless there is more. An error
// changes nothing.
func (a *Allocator) Accept(now time.Time, h Holder, offered, used sdk.Resources, refuse time.Duration) error {
	g, known := a.agents[h.Agent]
	if !known {
		return sdk.Errorf(sdk.CodeGone, "agent_id", "agent %s is not here any more", h.Agent)
	}
	offered, used = offered.WithoutAllocation(), used.WithoutAllocation()
	c, err := a.holds(h)
	if err != nil {
		return err
	}
	old := g.holdingOf(c)
	if !old.offered.Contains(offered) {
		return lacks(h, "offered", offered, old.offered)
	}
	if !offered.Contains(used) {
		return lacks(h, "in the offer", used, offered)
	}
	rest := offered.Subtract(used)
	a.setHolding(g, c, old.offered.Subtract(offered), old.used.Add(used))
	a.free(g, rest)
	a.refuse(g, c, rest, now, refuse)
	return nil
}

// Recover ends an offer, or a part of it, without use: declined (refuse > 0),
// timed out or rescinded (0). That the agent is unknown is no error: its books
// went with it.
func (a *Allocator) Recover(now time.Time, h Holder, offered sdk.Resources, refuse time.Duration) error {
	if _, known := a.agents[h.Agent]; !known {
		return nil
	}
	return a.Accept(now, h, offered, nil, refuse)
}

// Release frees what a holder used: a terminal task, an executor that ended.
// That the agent is unknown is no error.
func (a *Allocator) Release(h Holder, used sdk.Resources) error {
	g, known := a.agents[h.Agent]
	if !known {
		return nil
	}
	used = used.WithoutAllocation()
	c, err := a.holds(h)
	if err != nil {
		return err
	}
	old := g.holdingOf(c)
	if !old.used.Contains(used) {
		return lacks(h, "used", used, old.used)
	}
	a.setHolding(g, c, old.offered, old.used.Subtract(used))
	a.free(g, used)
	return nil
}

// Claim adds to what a holder uses without an offer: a task that a returning
// agent reports. A framework that is not known yet is held a place.
func (a *Allocator) Claim(h Holder, used sdk.Resources) {
	if g, ok := a.agents[h.Agent]; ok {
		a.claim(g, Claim{Framework: h.Framework, Role: h.Role, Resources: used})
		a.recount(g)
	}
}

func (a *Allocator) claim(g *agent, claim Claim) {
	used := claim.Resources.WithoutAllocation()
	if len(used) == 0 {
		return
	}
	c := a.client(a.known(claim.Framework), claim.Role)
	old := g.holdingOf(c)
	a.setHolding(g, c, old.offered, old.used.Add(used))
}

// Held is what a holder has: in offers, and used. Nothing when it is unknown.
func (a *Allocator) Held(h Holder) (offered, used sdk.Resources) {
	g, known := a.agents[h.Agent]
	c, err := a.holds(h)
	if !known || err != nil {
		return nil, nil
	}
	entry := g.holdingOf(c)
	return entry.offered, entry.used
}

// Free is what an agent has that is neither offered nor used.
func (a *Allocator) Free(id sdk.AgentID) sdk.Resources {
	if g, ok := a.agents[id]; ok {
		return g.free
	}
	return nil
}

// free gives r back to an agent and has it looked at.
func (a *Allocator) free(g *agent, r sdk.Resources) {
	if len(r) == 0 {
		return
	}
	if g.over {
		a.recount(g)
	} else {
		a.setFree(g, g.free.Add(r))
	}
	a.touch(g)
}

func (a *Allocator) holds(h Holder) (*client, error) {
	if f, ok := a.frameworks[h.Framework]; ok {
		if c, ok := f.clients[h.Role]; ok {
			return c, nil
		}
	}
	return nil, sdk.Errorf(sdk.CodeConflict, "", "framework %s holds nothing in role %q", h.Framework, h.Role)
}

func lacks(h Holder, what string, wanted, has sdk.Resources) error {
	return sdk.Errorf(sdk.CodeConflict, "", "%s of agent %s for framework %s in role %q is more than what is %s: %s",
		wanted, h.Agent, h.Framework, h.Role, what, orNothing(has))
}
