package api

import (
	"net/http"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// waitingDocument is an app that waits to be launched. It has no role: marathon-python
// refuses an item with one.
type waitingDocument struct {
	Count            int            `json:"count"`
	Since            string         `json:"since"`
	Delay            delayDocument  `json:"delay"`
	App              *app.App       `json:"app"`
	Summary          offersSummary  `json:"processedOffersSummary"`
	LastUnusedOffers *[]unusedOffer `json:"lastUnusedOffers,omitempty"`
	Why              string         `json:"why,omitempty"`
}

type delayDocument struct {
	TimeLeftSeconds int  `json:"timeLeftSeconds"` // begun seconds count
	Overdue         bool `json:"overdue"`
}

type offersSummary struct {
	ProcessedOffersCount       int              `json:"processedOffersCount"`
	UnusedOffersCount          int              `json:"unusedOffersCount"`
	LastUnusedOfferAt          string           `json:"lastUnusedOfferAt,omitempty"`
	LastUsedOfferAt            string           `json:"lastUsedOfferAt,omitempty"`
	RejectSummaryLastOffers    []reasonDocument `json:"rejectSummaryLastOffers"`
	RejectSummaryLaunchAttempt []reasonDocument `json:"rejectSummaryLaunchAttempt"`
}

type reasonDocument struct {
	Reason    string `json:"reason"`
	Declined  int    `json:"declined"`
	Processed int    `json:"processed"`
}

func reasons(rows []fleet.Reason) []reasonDocument {
	out := make([]reasonDocument, 0, len(rows))
	for _, r := range rows {
		out = append(out, reasonDocument(r))
	}
	return out
}

func renderWaiting(w fleet.Waiting, e embed) waitingDocument {
	d := waitingDocument{
		Count: w.Count, Since: app.Timestamp(w.Since), App: w.App,
		Delay: delayDocument{int((max(0, w.DelayLeft) + time.Second - 1) / time.Second), w.Overdue},
		Summary: offersSummary{
			ProcessedOffersCount: w.Offers.Processed, UnusedOffersCount: w.Offers.Unused, LastUnusedOfferAt: stamp(w.Offers.LastUnused),
			LastUsedOfferAt: stamp(w.Offers.LastUsed), RejectSummaryLastOffers: reasons(w.Reasons), RejectSummaryLaunchAttempt: reasons(w.Attempt),
		},
	}
	if e.unusedOffers {
		unused := make([]unusedOffer, 0, len(w.Unused))
		for _, u := range w.Unused {
			unused = append(unused, renderUnused(u))
		}
		d.LastUnusedOffers = &unused
	}
	if e.why {
		d.Why = w.Why
	}
	return d
}

func (s *server) listQueue(c *call) (rest.Answer, error) {
	var all []fleet.Waiting
	s.backend.Read(func(f View) { all = f.Queue() })
	queue := make([]waitingDocument, 0, len(all))
	for _, w := range all {
		queue = append(queue, renderWaiting(w, c.embed()))
	}
	return rest.JSON(struct {
		Queue []waitingDocument `json:"queue"`
	}{queue})
}

func (s *server) resetDelay(c *call) (rest.Answer, error) {
	waits := false
	s.backend.Read(func(f View) {
		for _, w := range f.Queue() {
			waits = waits || w.App.ID == c.id
		}
	})
	if !waits {
		return rest.Answer{}, app.Refusef(http.StatusNotFound, "Application %s not found in tasks queue.", c.id)
	}
	_, err := s.change(c, fleet.Change{Kind: fleet.ResetDelay, IDs: []app.ID{c.id}})
	return rest.Answer{Status: http.StatusNoContent}, err
}

// unusedOffer is an offer that was not used, and why.
type unusedOffer struct {
	Offer     offerDocument `json:"offer"`
	Reason    []string      `json:"reason"`
	Timestamp string        `json:"timestamp"`
}

type offerDocument struct {
	ID         sdk.OfferID     `json:"id"`
	AgentID    sdk.AgentID     `json:"agentId"`
	Hostname   string          `json:"hostname"`
	Resources  []valueDocument `json:"resources"`
	Attributes []valueDocument `json:"attributes"`
}

// valueDocument is a resource, or an attribute, which alone may have a text.
type valueDocument struct {
	Name   string          `json:"name"`
	Role   string          `json:"role,omitempty"`
	Text   *string         `json:"text,omitempty"`
	Scalar *float64        `json:"scalar,omitempty"`
	Ranges []rangeDocument `json:"ranges,omitempty"`
	Set    []string        `json:"set,omitempty"`
}

type rangeDocument struct {
	Begin uint64 `json:"begin"`
	End   uint64 `json:"end"`
}

func renderUnused(u fleet.UnusedOffer) unusedOffer {
	o := offerDocument{ID: u.Offer.ID, AgentID: u.Offer.AgentID, Hostname: u.Offer.Hostname,
		Resources: make([]valueDocument, 0, len(u.Offer.Resources)), Attributes: make([]valueDocument, 0, len(u.Offer.Attributes))}
	for _, r := range u.Offer.Resources {
		d := renderValue(r.Name, r.Scalar, r.Ranges, r.Set)
		if d.Role = r.Role; d.Role == "" {
			d.Role = "*"
		}
		o.Resources = append(o.Resources, d)
	}
	for _, a := range u.Offer.Attributes {
		d := renderValue(a.Name, a.Scalar, a.Ranges, a.Set)
		if a.Text != nil {
			d.Text = &a.Text.Value
		}
		o.Attributes = append(o.Attributes, d)
	}
	return unusedOffer{o, append([]string{}, u.Reasons...), app.Timestamp(u.At)}
}

func renderValue(name string, scalar *sdk.Scalar, ranges *sdk.Ranges, set *sdk.Set) valueDocument {
	d := valueDocument{Name: name}
	if scalar != nil {
		d.Scalar = &scalar.Value
	}
	if ranges != nil {
		for _, r := range ranges.Range {
			d.Ranges = append(d.Ranges, rangeDocument(r))
		}
	}
	if set != nil {
		d.Set = set.Item
	}
	return d
}
