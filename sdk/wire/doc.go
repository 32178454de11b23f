// Package wire is the one codec of Proffer. It writes the messages of package
// sdk, and the project's own ones, in three encodings:
//
//   - msgpack, for our own clients, agents and checkpoints: a message is a map
//     {field number: value}, an enumeration its number, an id a plain string;
//   - JSON in the mapping of Mesos, which is not that of proto3: explicit
//     defaults are written, a bare value serves as a list of one, numbers may be
//     strings, an enumeration is its name;
//   - protobuf, proto2.
//
// One walker goes through a value by a plan, which is compiled once per Go type
// from the `wire` struct tags (see package sdk) and is never changed afterwards.
// Behind it stand three token back ends: sinks that write and sources that read.
// Whatever holds for all encodings (required fields, valid UTF-8, no NaN, ranges
// of integers, depth, memory) is decided in the walker, so that it can not
// differ between them.
//
// # What may be sent to a reader
//
// Unmarshal believes nothing. Messages nest at most MaxDepth deep. A count is
// compared with the bytes that are left before anything is allocated for it, and
// what a message becomes in memory is bounded by a multiple of its length. What
// follows the message is refused. Every refusal is an *sdk.Error with
// CodeInvalid and the path of the field, such as accept.offer_ids[1].value.
//
// # Absent and zero
//
// A field that is not required and has the zero value of its Go type is absent:
// it is left out (in JSON its explicit default is written instead), and an absent
// field is read as zero, never as its default. Where the two differ the field is
// a pointer. A required field is always written, zeros included.
//
// # Streams and sequences
//
// RecordIO frames messages on streams (Reader, AppendRecord, AppendMessage), and
// in the body of a POST that carries a sequence of calls (ParseBody).
//
// The package does no I/O of its own, reads no clock and starts no goroutine. All
// functions may be called from anywhere at once; a Reader belongs to one
// goroutine. The cache of plans and the pools are its only state.
package wire
