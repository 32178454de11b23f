//go:build !plant_forget_fence

package ledger

// plantForgetFence is a planted bug that the tests must find: which leader was obeyed
// is not stored.
const plantForgetFence = false
