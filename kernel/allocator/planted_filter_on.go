//go:build plant_lose_decline_filter

package allocator

const plantLoseDeclineFilter = true
