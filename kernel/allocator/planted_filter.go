//go:build !plant_lose_decline_filter

package allocator

// plantLoseDeclineFilter is a planted bug: refusals are forgotten at once.
const plantLoseDeclineFilter = false
