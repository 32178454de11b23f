// Package store is the frameworks' replicated memory: key-value spaces, each of a
// principal and a name, with transactions, leases and a bounded history of changes
// for those who watch.
//
// It owns the format of the commands that change the spaces and of the snapshots
// that hold them, and it decides: State.Apply refuses a command that does not fit,
// the same way on every master. The revision of a change is the index of its
// command in the replicated log. Limits that an operator may set travel inside the
// commands, so that masters with different settings still agree.
//
// It never reads a clock: a Keeper counts leases down for one leader, is told the
// time, and gives what has run out as data; that a lease ends is a command like
// any other. Which master leads, who a caller is and whether a task lives is told
// by others.
//
// A State is used by one goroutine at a time, readers together; what it returns
// shares only data that is never changed in place. An Image may be written by
// another goroutine while the State goes on. A Keeper belongs to one goroutine.
package store
