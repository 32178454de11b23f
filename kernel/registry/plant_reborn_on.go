//go:build plant_same_generation

package registry

const plantSameGeneration = true
