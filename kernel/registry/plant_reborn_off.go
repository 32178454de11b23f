//go:build !plant_same_generation

package registry

// plantSameGeneration is a planted bug that the tests must find: masters that a snapshot
// is restored on keep its generation, so that those they replace are not fenced.
const plantSameGeneration = false
