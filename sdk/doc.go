// Package sdk is the vocabulary that every part of Proffer speaks, the kernel
// included: ids, resources, offers, tasks, states, calls, events and errors, in
// the shape of the Mesos v1 messages.
//
// The structs are plain data. A field's `wire` tag says how sdk/wire writes it:
// its protobuf number, its name in JSON, then the options
//
//	required     the message is refused without it
//	default=X    written with X in JSON when it is absent (proto2's explicit default)
//	value        a string type that is the message {"value": …} on the JSON and
//	             protobuf wire, alone or repeated
//
// Fields numbered from 1000 on are Proffer's own. Pointers stand only where
// absent differs from zero. Enumerations are strings; the empty one is absent.
//
// The package owns no state, does no I/O and starts no goroutine: its values may
// be used from anywhere as long as nobody changes them meanwhile.
package sdk
