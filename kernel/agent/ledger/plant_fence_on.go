//go:build plant_forget_fence

package ledger

const plantForgetFence = true
