package chronosish

import (
	"context"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/store"
)

// handle puts an event of the kernel into the book's queue. A new framework's id is
// in the store before anything is done under it.
func (s *Scheduler) handle(ctx context.Context, e *sdk.Event) error {
	switch {
	case e.Subscribed != nil:
		id := e.Subscribed.FrameworkID
		if err := s.write(ctx, []store.Op{store.Put(keyFramework, []byte(id))}); err != nil {
			return err
		}
		s.queue.push(book.Subscribed{})
	case e.Offers != nil:
		s.queue.push(book.Offers{Offers: e.Offers.Offers})
	case e.Rescind != nil:
		s.queue.push(book.Rescinded{Offer: e.Rescind.OfferID})
	case e.Update != nil:
		s.queue.push(book.Update{Status: e.Update.Status})
	}
	return nil
}
