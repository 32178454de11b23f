package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/profferhq/proffer/marathonish/placement"
	"github.com/profferhq/proffer/sdk"
)

// waiting is what an app waits to have launched, and what it has heard of offers
// since it began to.
type waiting struct {
	indexes []int
	since   time.Time
	fresh   bool // no revive since it began, or since it wants more
	counts  OfferCounts
	last    map[sdk.AgentID]placement.Reason // of the last offer of each agent
	rest    map[sdk.AgentID]placement.Reason // likewise why it took no more, where it was used
	attempt map[placement.Reason]int
	unused  []UnusedOffer // newest first
}

// unusedKept is how many unused offers are remembered of an app.
const unusedKept = 5

// heard notes what became of a round of offers.
func (w *waiting) heard(now time.Time, offers []sdk.Offer, refused []placement.Refused, used map[int]bool) {
	if w.last == nil {
		w.last, w.rest, w.attempt = map[sdk.AgentID]placement.Reason{}, map[sdk.AgentID]placement.Reason{}, map[placement.Reason]int{}
	}
	for i := range used {
		w.counts.Processed++
		w.counts.LastUsed = now
		w.last[offers[i].AgentID], w.rest[offers[i].AgentID] = placement.Fits, placement.Fits
		w.attempt[placement.Fits]++
	}
	for _, r := range refused {
		o := &offers[r.Offer]
		w.rest[o.AgentID] = r.Reason
		if used[r.Offer] {
			continue
		}
		w.counts.Processed++
		w.counts.Unused++
		w.counts.LastUnused = now
		w.last[o.AgentID] = r.Reason
		w.attempt[r.Reason]++
		w.unused = slices.Insert(w.unused, 0, UnusedOffer{Offer: *o, Reasons: []string{string(r.Reason)}, At: now})
	}
	if len(w.unused) > unusedKept {
		w.unused = slices.Clone(w.unused[:unusedKept])
	}
}

func rows(counts map[placement.Reason]int) []Reason {
	var list []Reason
	for _, r := range placement.Funnel(counts) {
		list = append(list, Reason{Reason: string(r.Reason), Declined: r.Declined, Processed: r.Processed})
	}
	return list
}

// status is the waiting as readers see it.
func (f *Fleet) status(s *service) Waiting {
	w := &s.waiting
	latest, rest := map[placement.Reason]int{}, map[placement.Reason]int{}
	for _, r := range w.last {
		latest[r]++
	}
	for _, r := range w.rest {
		rest[r]++
	}
	out := Waiting{
		App: s.app, Count: len(w.indexes), Since: w.since, DelayLeft: s.backoff.Left(f.now, s.app.LastConfigChangeAt),
		Offers: w.counts, Reasons: rows(latest), Attempt: rows(w.attempt), Unused: slices.Clone(w.unused),
	}
	out.Overdue = out.DelayLeft == 0
	switch {
	case out.DelayLeft > 0:
		out.Why = fmt.Sprintf("it failed, and is launched again in %v at the earliest", out.DelayLeft.Round(time.Millisecond))
		if s.failure != nil && s.failure.Message != "" {
			out.Why += "; the last failure: " + s.failure.Message
		}
	case f.now.Before(f.full.until):
		out.Why = "the store does not take its record: " + f.full.reason
	case !f.session.Up():
		out.Why = "there is no subscription to a master"
	default:
		out.Why = placement.Why(placement.Funnel(rest))
	}
	return out
}
