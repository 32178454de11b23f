// Package mind is what a framework's decisions are made of: what happens to it as
// Inputs, what it wants done as Effects, both plain data, and the Mind between them.
//
// A mind is a state machine. It never touches a clock, the network, a disk or a log:
// time comes in as a parameter, and what it decides comes out as data, which package
// scheduler performs. So a test of a mind is a list of inputs and a look at effects,
// and millions of steps are made in a second.
//
// Tools for minds are here too: Outbox (writes on their way to the store), Alarms (what is
// to be looked at because time has passed), Market (when to ask for offers), Session (of
// which tasks the kernel has told) with Orphans (tasks that have no record), Absent and Within
// (what other clocks tell, counted by this one); and Copy, from which a mind is made that
// takes over.
//
// Concurrency: all of this is data of one goroutine, the one that steps the mind.
package mind
