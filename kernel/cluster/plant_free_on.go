//go:build plant_free_twice

package cluster

const plantFreeTwice = true
