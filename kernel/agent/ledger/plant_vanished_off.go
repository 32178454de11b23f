//go:build !plant_forget_vanished

package ledger

// plantForgetVanished is a planted bug that the tests must find: that a process is gone of
// which its executor says nothing is forgotten.
const plantForgetVanished = false
