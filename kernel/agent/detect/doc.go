// Package detect finds out what this machine has: processors, memory, disk, ports,
// and attributes such as its kernel. It takes a fixed share off what it detected
// for the launcher's and the executors' own use, and tells it beside the rest.
//
// It owns the look at the machine, never the offer: what an operator declares is
// not touched by it. It is the only importer of prometheus/procfs. Concurrency: no
// state.
package detect
