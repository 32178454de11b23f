package allocator

import (
	"github.com/profferhq/proffer/sdk"
)

// portion is what a client could be offered of an agent.
type portion struct {
	offer measure
	rest  sdk.Resources // what would still be free then
}

// portionFor is what of an agent's free resources a client may see at all:
// nothing of an agent with gpus without the capability, nothing reserved to
// other roles, and the head-room only in the role system.
func (a *Allocator) portionFor(g *agent, c *client) portion {
	if g.gpus && !c.framework.able[sdk.CapabilityGPUResources] {
		return portion{}
	}
	part := portion{offer: g.spare}
	if !c.system {
		part = a.publicPart(g)
	}
	if g.plain {
		return part
	}
	seen, unseen := a.divide(part.offer.all, c)
	return portion{offer: a.measured(measure{}, seen), rest: append(unseen, part.rest...)}
}

// divide parts r into what a client may be offered and what not; both share
// memory with r's entries. Appending to unseen never writes over others.
func (a *Allocator) divide(r sdk.Resources, c *client) (seen, unseen sdk.Resources) {
	seen = a.room(len(r))[:0]
	for i := range r {
		if c.sees(&r[i]) {
			seen = append(seen, r[i])
		} else {
			unseen = append(unseen, r[i])
		}
	}
	return seen, unseen
}

// sees tells whether a client may be offered a resource of an agent.
func (c *client) sees(x *sdk.Resource) bool {
	able := c.framework.able
	switch role := x.ReservedRole(); {
	case role != "" && role != c.role && !sdk.IsSubrole(c.role, role):
		return false
	case x.IsRefined() && !able[sdk.CapabilityReservationRefinement]:
		return false
	case x.Revocable != nil && !able[sdk.CapabilityRevocableResources]:
		return false
	case x.Shared != nil && !able[sdk.CapabilitySharedResources]:
		return false
	}
	return true
}

// publicPart is what an agent has free less the head-room of the system role,
// of which only that counts which this role does not have there already.
func (a *Allocator) publicPart(g *agent) portion {
	if len(a.headRoom) == 0 {
		return portion{offer: g.spare}
	}
	if g.publicSet {
		return g.public
	}
	keep := a.headRoom
	for i := range g.holdings {
		if g.holdings[i].client.system {
			keep = keep.Subtract(g.holdings[i].offered).Subtract(g.holdings[i].used)
		}
	}
	part := &g.public
	above, kept := a.clip(g.free, keep)
	part.offer, part.rest = a.measured(part.offer, above), kept
	g.publicSet = true
	return g.public
}

// clip divides r into what is above the amounts to keep, and what is kept. Both
// share memory with r where they can, because that is done for every agent.
func (a *Allocator) clip(r, keep sdk.Resources) (above, kept sdk.Resources) {
	for i := range keep {
		if keep[i].Scalar == nil {
			above = r.Subtract(keep)
			return above, r.Subtract(above)
		}
	}
	above, kept = a.room(len(r))[:0], a.room(min(len(r), len(keep)))[:0]
	for i := range r {
		q := int64(0)
		if r[i].Scalar != nil && !r[i].IsReserved() && r[i].Revocable == nil && r[i].Disk == nil {
			q = min(keep.Millis(r[i].Name), sdk.Millis(r[i].Scalar.Value))
		}
		if q <= 0 {
			above = append(above, r[i])
			continue
		}
		kept = append(kept, r[i])
		kept[len(kept)-1].Scalar = a.scalar(q)
		if left := sdk.Millis(r[i].Scalar.Value) - q; left > 0 {
			above = append(above, r[i])
			above[len(above)-1].Scalar = a.scalar(left)
		}
	}
	return above, kept
}

// room is space for n resources, cut from a larger piece, because an offer is
// small and a cycle makes thousands. The piece is small too: whatever lives
// longest in it keeps all of it.
func (a *Allocator) room(n int) sdk.Resources {
	if len(a.slab) < n {
		a.slab = make([]sdk.Resource, max(n, 32))
	}
	out := a.slab[:n:n]
	a.slab = a.slab[n:]
	return out
}

func (a *Allocator) scalar(millis int64) *sdk.Scalar {
	if len(a.scalars) == 0 {
		a.scalars = make([]sdk.Scalar, 64)
	}
	out := &a.scalars[0]
	a.scalars = a.scalars[1:]
	out.Value = sdk.FromMillis(millis)
	return out
}
