// Package book is chronosish's mind: which jobs there are, which of their slots were
// handled, which runs wait or go on, what ran before, and what follows from a change, a
// status, an offer, a commit or the passing of time.
//
// It is a state machine: Step takes what has happened and gives the Effects, in order,
// that the shell (package chronosish) has to perform. It never touches a clock, the
// network, a disk or a log; time comes in as a parameter.
//
// What must survive a crash is in the store: the jobs, what is known of each (state),
// one record for each run until it has ended, and the history. One transaction is on its
// way at a time, and the next gathers meanwhile, so that slots that are due together
// share one. A slot is decided by its run's record, or by its skip in the history; an
// attempt is launched only after the record that names its task and its agent is
// committed; a terminal state is acknowledged only after it is. Nothing that has been
// decided is given up: the history, which has a quarter of the space, makes room for it, its
// own lines last; what there is no room for even so waits, and holds up nothing but what
// is about the same job. Definitions have half of the space;
// the files that travel inside a job's tasks are values of their own beside it.
// A book that is loaded from the store goes on where the last one ended: it asks the
// kernel for each attempt, and only a definite answer permits another.
//
// When slots run is decided by chronosish/due.
//
// A Book is not safe for concurrent use: one goroutine steps it, under a lock that
// readers share. What the read methods return is never changed afterwards and may be
// kept.
package book
