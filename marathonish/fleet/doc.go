// Package fleet is marathonish's mind: which apps are wanted, which instances of
// them there are, which deployments run, and what follows from a change, a status,
// an offer, a commit or the passing of time.
//
// It is a state machine: Step takes one Input and gives the Effects, in order,
// that the shell (package marathonish) has to perform. It never touches a clock,
// the network, a disk or a log; time comes in as a parameter, chance as a seed.
//
// What must survive a crash is in the store: apps with their versions,
// deployments, and one run record for each instance. One transaction is on its
// way at a time, and the next gathers meanwhile. A task is launched only after its
// record is committed; what a change brings is seen, and answered, only after its
// commit; a terminal state is acknowledged only after its record is deleted. A
// fleet that is loaded from the store goes on where the last one ended, and kills
// nothing before the kernel has told of every instance that it remembers.
//
// What to launch and what to kill is decided by marathonish/plan, where by
// marathonish/placement, and what a check means by marathonish/health.
//
// A Fleet is not safe for concurrent use: one goroutine steps it, under a lock
// that readers share. What the read methods return is never changed afterwards
// and may be kept.
package fleet
