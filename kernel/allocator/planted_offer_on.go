//go:build plant_count_offer_twice

package allocator

const plantCountOfferTwice = true
