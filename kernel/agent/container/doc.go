// Package container is the life of one container on an agent as a pure state
// machine: prepare, isolate, run, kill, clean. Facts go in, each with the time it
// was learned; orders come out as data.
//
// It owns the order of these steps and the escalation by time, never a process, a
// group or a clock. Concurrency: a Container belongs to one goroutine.
package container
