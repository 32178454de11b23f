// Package supervise is what the launcher and the default executor have in common:
// it waits for processes and moves their output into files, for thousands of them
// with two threads in all.
//
// A Waiter sees the end of a process through its pidfd and writes the exit record
// before it tells; it never reaps, so the pid stays taken until its owner, who may
// be about to signal it, calls sdk/executor.Reap. A Drain moves output with
// splice(2); a full disk makes it wait and try again, never lose or block others.
//
// Both run their callbacks on their own goroutine, one at a time; the callbacks
// must not block. Their methods may be called from anywhere.
package supervise
