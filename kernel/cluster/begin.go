package cluster

import "time"

// offersKey is the notice of a new leader that does not offer yet.
const offersKey = "offers"

// begin has a new leader hold its offers until enough of the agents have come back:
// the first to arrive would get everything otherwise.
func (c *Cluster) begin() {
	c.awaited = c.recovering
	if c.awaited == 0 || c.opt.OfferWait < 0 {
		return
	}
	c.offersFrom = c.now.Add(c.opt.OfferWait)
	c.alarms.set(alarm{at: c.offersFrom, kind: alarmOffers})
	c.notice(noticeOf(offersKey, c.offersFrom, "A new leader waits for the agents: offers begin when %.0f %% of the %d agents are back, or after %v", 100*c.opt.OfferShare, c.awaited, c.opt.OfferWait))
}

// waitsToOffer tells whether it is too early to offer anything.
func (c *Cluster) waitsToOffer() bool {
	return c.now.Before(c.offersFrom) && float64(c.awaited-c.recovering) < c.opt.OfferShare*float64(c.awaited)
}

// holdsOffers is waitsToOffer, and says when that is over.
func (c *Cluster) holdsOffers() bool {
	if c.offersFrom.IsZero() || c.waitsToOffer() {
		return !c.offersFrom.IsZero()
	}
	c.offersFrom = time.Time{}
	c.log(Info, "offers begin", "agents back", c.awaited-c.recovering, "of", c.awaited, "after", c.now.Sub(c.began).Round(time.Millisecond).String())
	c.clearNotice(offersKey)
	return false
}
