//go:build plant_forget_tombstone

package ledger

const plantForgetTombstone = true
