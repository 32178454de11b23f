// Package link is what a master and an agent say to each other: the messages,
// their versions and the rules that make a message acceptable.
//
// An agent POSTs one Call of type REGISTER to Path on the leading master. The
// answer stays open and carries Events, as RecordIO of the accepted encoding
// (msgpack between ours). All other calls are separate POSTs to the same path
// that name their stream by the header SessionHeader; a body is one call or a
// RecordIO sequence of them, so that everything that waits travels in one.
//
// Every Event carries a Fence: the generation of the cluster's registry and the
// term of the leader that sent it, compared as a pair. An agent remembers the
// highest it saw, on disk, and refuses lower ones. Numbers of fields are never
// used twice; a reader refuses a newer Version by name.
//
// The package holds plain data: it does no I/O, starts no goroutine and may be
// used from anywhere.
package link
