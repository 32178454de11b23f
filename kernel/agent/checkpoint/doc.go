// Package checkpoint is the agent's crash-safe memory: an append-only file of
// records, written by group commit, read back at start, compacted by writing a new
// file beside it. Records are opaque bytes with a type and a format version.
//
// It owns durability and the file format, never the meaning of a record. A record
// whose Append has returned nil is on the disk; those of one Append are all there or none.
// What is damaged is named with file, offset and loss, and never guessed at; who asks for it
// (Options.Salvage) gets the rest.
//
// Concurrency: Append and Compact may be called by many goroutines; records keep
// the order in which the calls were accepted.
package checkpoint
