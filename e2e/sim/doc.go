// Package sim is the simulated cluster (kernel/sim) with the two frameworks that come
// with the kernel in it: marathonish's fleet and chronosish's book, each in several
// instances that lead by a lease, on the simulated store.
//
// It owns what their users do and what must hold of them meanwhile. Of services: never
// more instances than are wanted at most, each started after it was written down, and
// as many as wanted when all is well again. Of jobs: each slot is decided once, an
// attempt that was given up as never launched never starts, a job that forbids it does
// not run twice at once, and no slot is missing. What the history has no room for must have
// been told to operators instead.
//
// It is a package of its own because kernel may not know frameworks. Its tests are what
// `make sim` and the hunt for planted bugs run. A run is one goroutine; runs share
// nothing.
package sim
