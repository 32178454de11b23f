//go:build !plant_skip_unsaid

package book

// plantSkipUnsaid is a planted bug that the tests must find: slots are passed over and
// nothing says so.
const plantSkipUnsaid = false
