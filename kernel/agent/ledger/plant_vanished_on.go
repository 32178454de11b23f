//go:build plant_forget_vanished

package ledger

const plantForgetVanished = true
