// Package plants keeps the score of the planted bugs: faults that build tags put
// into the kernel, each of which some test must find. Its test runs those tests
// against each plant and tells how long each took. It owns no plant and imports
// nothing of the product.
package plants
