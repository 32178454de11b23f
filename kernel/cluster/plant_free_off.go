//go:build !plant_free_twice

package cluster

// plantFreeTwice is a planted bug that the tests must find: what a task used is given
// back again when its end is told again.
const plantFreeTwice = false
