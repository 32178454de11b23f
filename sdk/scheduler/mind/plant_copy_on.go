//go:build plant_stale_copy

package mind

const plantStaleCopy = true
