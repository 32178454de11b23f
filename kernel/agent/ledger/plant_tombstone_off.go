//go:build !plant_forget_tombstone

package ledger

// plantForgetTombstone is a planted bug that the tests must find: a task id may
// be used again.
const plantForgetTombstone = false
