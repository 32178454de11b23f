//go:build !plant_ignore_guard

package store

// plantIgnoreGuard is a planted bug that the tests must find: a leader of the past may
// write.
const plantIgnoreGuard = false
