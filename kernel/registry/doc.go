// Package registry is the part of the cluster's memory that must survive every
// master: which agents were admitted, lost or given up, which frameworks exist
// and until when they may be away, the weights of roles, the boot manifest, the cluster's identity
// and generation, and what its members understand.
//
// It owns the format of the commands that change these facts and of the
// snapshots that hold them, and it decides: State.Apply refuses a command that
// does not fit, the same way on every master. It never reads a clock, makes an
// id from chance, or does I/O; time comes inside the commands.
//
// Agents and frameworks stand in tables of which nothing is changed in place: a copy, for a
// snapshot or a new leader's mind, costs the same whatever is in them.
//
// A State is used by one goroutine at a time; what it returns are copies that
// share only data that is never changed in place.
package registry
