package marathonish

import (
	"context"

	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/store"
)

// handle puts an event of the kernel into the fleet's queue. A new framework's id is
// in the store before anything is done under it.
func (s *Supervisor) handle(ctx context.Context, e *sdk.Event) error {
	switch {
	case e.Subscribed != nil:
		id := e.Subscribed.FrameworkID
		if err := s.write(ctx, []store.Op{store.Put(keyFramework, []byte(id))}); err != nil {
			return err
		}
		s.queue.push(fleet.Subscribed{FrameworkID: id, Master: s.kernel.Leader()})
	case e.Offers != nil:
		s.queue.push(fleet.Offers{Offers: e.Offers.Offers})
	case e.Rescind != nil:
		s.queue.push(fleet.Rescinded{Offer: e.Rescind.OfferID})
	case e.Update != nil:
		s.queue.push(fleet.Update{Status: e.Update.Status})
	}
	return nil
}
