// Package consensus keeps the registry the same on every master: raft around
// registry.State. It is the only importer of the raft library, so that nothing
// of raft's vocabulary reaches the rest of the kernel.
//
// It owns the log and the snapshots on disk, the transport between masters with
// its handshake, and the answer to "who leads, in which term". It never decides
// anything about agents or frameworks: commands come in, results go out, and what
// a command means is registry's.
//
// A Node may be used from any goroutine. A write or fsync of the log that fails
// ends the process (Options.Fatal): what the disk then holds is unknown, and a
// master that guesses could forget what it promised.
package consensus
