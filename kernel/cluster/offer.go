package cluster

import (
	"slices"
	"strconv"
	"time"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/sdk"
)

// offer is resources of one agent that one framework may use now, once.
type offer struct {
	id        sdk.OfferID
	framework *framework
	agent     *agent
	role      string
	resources sdk.Resources // stamped with the role, as the books know them
	made      time.Time
	over      bool
}

func (o *offer) holder() allocator.Holder {
	return allocator.Holder{Framework: o.framework.id(), Role: o.role, Agent: o.agent.id}
}

// allocate makes the offers that have become possible: one event per framework.
func (c *Cluster) allocate() {
	var order []*framework
	made := map[*framework][]sdk.Offer{}
	for _, x := range c.books.Allocate(c.now) {
		f, a := c.frameworks[x.Framework], c.agents[x.Agent]
		if f == nil || a == nil || !f.subscribed || !satisfies(f.constraints, x.Role, a) {
			refuse := time.Duration(0)
			if f != nil && a != nil && f.subscribed {
				refuse = allocator.MaxRefusal // until it revives or says other constraints
			}
			c.recoverOffered(x.Holder, x.Resources, refuse)
			continue
		}
		o := c.newOffer(f, a, x)
		if made[f] == nil {
			order = append(order, f)
		}
		made[f] = append(made[f], c.shape(o))
	}
	for _, f := range order {
		c.send(f, &sdk.Event{Type: sdk.EventOffers, Offers: &sdk.Offers{Offers: made[f]}})
	}
}

func (c *Cluster) newOffer(f *framework, a *agent, x allocator.Offering) *offer {
	o := &offer{
		id:        sdk.OfferID(c.opt.Master.ID + "-O" + strconv.FormatUint(c.lastOffer, 10)),
		framework: f,
		agent:     a,
		role:      x.Role,
		resources: x.Resources,
		made:      c.now,
	}
	c.lastOffer++
	c.offers[o.id], f.offers[o.id], a.offers[o.id] = o, o, o
	c.aging = append(c.aging, o)
	return o
}

// shape is an offer as its framework understands it.
func (c *Cluster) shape(o *offer) sdk.Offer {
	f, a := o.framework, o.agent
	out := sdk.Offer{
		ID:          o.id,
		FrameworkID: f.id(),
		AgentID:     a.id,
		Hostname:    a.info.Hostname,
		URL:         a.url,
		Domain:      a.info.Domain,
		Resources:   o.resources,
		Attributes:  a.info.Attributes,
		ExecutorIDs: a.executorsOf(f.id()),
	}
	if f.caps.multiRole {
		out.AllocationInfo = &sdk.AllocationInfo{Role: o.role}
	} else {
		out.Resources = o.resources.WithoutAllocation()
	}
	if !f.caps.refinement {
		out.Resources = sdk.Resources(out.Resources).PreForm()
	}
	return out
}

// endOffer takes an offer out of every index; its resources are the caller's to
// give back.
func (c *Cluster) endOffer(o *offer) {
	o.over = true
	delete(c.offers, o.id)
	delete(o.framework.offers, o.id)
	delete(o.agent.offers, o.id)
}

// recoverOffered gives offered resources back to the books.
func (c *Cluster) recoverOffered(h allocator.Holder, r sdk.Resources, refuse time.Duration) {
	if err := c.books.Recover(c.now, h, r, refuse); err != nil {
		c.log(Error, "the books refuse to take back what was offered", "framework", h.Framework, "agent", h.Agent, "resources", r.String(), "error", err.Error())
	}
}

// withdraw ends an offer without use; tell says so to its framework.
func (c *Cluster) withdraw(o *offer, tell bool) {
	c.endOffer(o)
	c.recoverOffered(o.holder(), o.resources, 0)
	if tell {
		c.send(o.framework, rescindEvent(o))
	}
}

func rescindEvent(o *offer) *sdk.Event {
	return &sdk.Event{Type: sdk.EventRescind, Rescind: &sdk.Rescind{OfferID: o.id}}
}

// takeOffers withdraws all offers of a framework.
func (c *Cluster) takeOffers(f *framework, tell bool) {
	for _, o := range byAge(f.offers) {
		c.withdraw(o, tell)
	}
}

// byAge are offers in the order in which they were made.
func byAge(offers map[sdk.OfferID]*offer) []*offer {
	list := make([]*offer, 0, len(offers))
	for _, o := range offers {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b *offer) int {
		if d := len(a.id) - len(b.id); d != 0 { // one prefix, numbers without leading zeros
			return d
		}
		if a.id < b.id {
			return -1
		}
		return 1
	})
	return list
}

// oldestOffer is the offer that times out first; those that ended are dropped.
func (c *Cluster) oldestOffer() *offer {
	for len(c.aging) > 0 && c.aging[0].over {
		c.aging[0] = nil
		c.aging = c.aging[1:]
	}
	if len(c.aging) == 0 {
		c.aging = nil
		return nil
	}
	return c.aging[0]
}

func (c *Cluster) expireOffers() {
	for o := c.oldestOffer(); o != nil && !o.made.Add(c.opt.OfferTimeout).After(c.now); o = c.oldestOffer() {
		c.withdraw(o, true)
	}
}
