//go:build !plant_end_early

package ledger

// plantEndEarly is a planted bug that the tests must find: an end is told before the
// container is empty.
const plantEndEarly = false
