//go:build !plant_forget_removed

package registry

// plantForgetRemoved is a planted bug that the tests must find: a snapshot leaves out
// which frameworks were removed.
const plantForgetRemoved = false
