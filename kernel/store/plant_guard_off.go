//go:build !plant_ignore_guard

package store

// plantIgnoreGuard is a planted bug that the tests must find: neither who holds a key
// nor when it was written matters to a transaction.
const plantIgnoreGuard = false
