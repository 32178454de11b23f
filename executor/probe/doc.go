// Package probe decides about the health checks of a task: when the next probe of
// each is due, what its result means, and whether the task has to end.
//
// It is pure: time comes in as a parameter, and it makes no probe itself; package
// executor/checker does. What a successor of a killed executor must know to go on
// is a Memory.
//
// The rules are Mesos's, with two additions. Before the first regular probe, which
// is due one delay after the start, a check is tried early: 20 ms after the start
// and doubling. An early success counts at once, an early failure for nothing. And
// a check may only report: its failures never end the task.
//
// A value belongs to one goroutine.
package probe
