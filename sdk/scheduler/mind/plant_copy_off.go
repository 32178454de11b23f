//go:build !plant_stale_copy

package mind

// plantStaleCopy is a planted bug that the tests must find: a scheduler takes over from
// what it has, although not all has come.
const plantStaleCopy = false
