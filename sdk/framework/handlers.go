package framework

import (
	"context"

	"github.com/profferhq/proffer/sdk"
)

// Handlers is a handler with one function for each kind of event that frameworks
// commonly want; a nil one ignores its kind. Give its Handle method to Run.
type Handlers struct {
	// Subscribed comes first in each subscription; resubscriptions included.
	Subscribed func(ctx context.Context, s *sdk.Subscribed) error
	// Offers are to be launched on or declined; what is left alone is taken back
	// after the kernel's offer time-out and counts against the framework until then.
	Offers func(ctx context.Context, offers []sdk.Offer) error
	// Rescind takes an offer back.
	Rescind func(ctx context.Context, offer sdk.OfferID) error
	// Update tells a task's state: at least once, in order per task.
	Update func(ctx context.Context, status sdk.TaskStatus) error
	// Message comes from an executor.
	Message func(ctx context.Context, m *sdk.Message) error
	// Failure tells that an agent or an executor is gone.
	Failure func(ctx context.Context, failure *sdk.Failure) error
	// Other gets every event that has no function above.
	Other func(ctx context.Context, event *sdk.Event) error
}

// Handle calls the function for the event.
func (h Handlers) Handle(ctx context.Context, event *sdk.Event) error {
	switch {
	case event.Subscribed != nil && h.Subscribed != nil:
		return h.Subscribed(ctx, event.Subscribed)
	case event.Offers != nil && h.Offers != nil:
		return h.Offers(ctx, event.Offers.Offers)
	case event.Rescind != nil && h.Rescind != nil:
		return h.Rescind(ctx, event.Rescind.OfferID)
	case event.Update != nil && h.Update != nil:
		return h.Update(ctx, event.Update.Status)
	case event.Message != nil && h.Message != nil:
		return h.Message(ctx, event.Message)
	case event.Failure != nil && h.Failure != nil:
		return h.Failure(ctx, event.Failure)
	case h.Other != nil:
		return h.Other(ctx, event)
	}
	return nil
}
