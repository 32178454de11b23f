//go:build !plant_count_offer_twice

package allocator

// plantCountOfferTwice is a planted bug: what is offered stays free, so that it is offered again.
const plantCountOfferTwice = false
