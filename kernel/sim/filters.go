package sim

import (
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/sdk"
)

// filterBook remembers, the slow way, what frameworks have declined for a while at
// one leader: the same or less of the same agent must not be offered meanwhile.
type filterBook struct {
	offers  map[sdk.OfferID]heldOffer
	refused []refusal
}

type heldOffer struct {
	session   cluster.Session
	agent     sdk.AgentID
	resources sdk.Resources
}

type refusal struct {
	session   cluster.Session
	agent     sdk.AgentID
	resources sdk.Resources
	until     time.Time
}

func newFilterBook() *filterBook { return &filterBook{offers: map[sdk.OfferID]heldOffer{}} }

// before notes what an input is about to decline.
func (b *filterBook) before(l *leader, in cluster.Input) {
	switch in := in.(type) {
	case cluster.SchedulerCall:
		switch in.Call.Type {
		case sdk.CallDecline:
			for _, id := range in.Call.Decline.OfferIDs {
				b.decline(l, in.Session, id, in.Call.Decline.Filters)
			}
		case sdk.CallRevive, sdk.CallTeardown:
			b.forget(l, in.Session)
		case sdk.CallAccept:
			for _, id := range in.Call.Accept.OfferIDs {
				delete(b.offers, id)
			}
		}
	case cluster.AgentRegister, cluster.AgentClosed:
		b.refused = nil // what the allocator keeps then is its own affair
	}
}

func (b *filterBook) decline(l *leader, s cluster.Session, id sdk.OfferID, f *sdk.Filters) {
	o, ok := b.offers[id]
	if !ok || o.session != s || l.streams[s] == nil {
		return
	}
	delete(b.offers, id)
	if f != nil && f.RefuseSeconds != nil && *f.RefuseSeconds > 0 {
		until := l.m.clock.now().Add(time.Duration(*f.RefuseSeconds * float64(time.Second)))
		b.refused = append(b.refused, refusal{s, o.agent, o.resources, until})
	}
}

// forget ends what a stream has declined.
func (b *filterBook) forget(_ *leader, s cluster.Session) {
	kept := b.refused[:0]
	for _, r := range b.refused {
		if r.session != s {
			kept = append(kept, r)
		}
	}
	b.refused = kept
}

// offered looks at what a leader offers.
func (b *filterBook) offered(l *leader, s cluster.Session, e *sdk.Event) {
	if e.Type == sdk.EventRescind {
		delete(b.offers, e.Rescind.OfferID)
		return
	}
	if e.Type != sdk.EventOffers {
		return
	}
	kept := b.refused[:0]
	for _, r := range b.refused {
		if r.until.After(l.m.clock.now()) {
			kept = append(kept, r)
		}
	}
	b.refused = kept
	for i := range e.Offers.Offers {
		o := &e.Offers.Offers[i]
		for _, r := range b.refused {
			if r.session == s && r.agent == o.AgentID && r.resources.Contains(o.Resources) {
				l.w.fail("%s offers %s of %s to %s, which has refused %s until %v", l.name, sdk.Resources(o.Resources), o.AgentID, s, r.resources, r.until)
			}
		}
		b.offers[o.ID] = heldOffer{s, o.AgentID, o.Resources}
	}
}
