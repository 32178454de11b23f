//go:build !plant_drop_refused

package book

// plantDropRefused is a planted bug that the tests must find: what was decided is forgotten
// where the store has no room for it.
const plantDropRefused = false
