// Package boot is init: the built-in framework that starts what the boot manifest names
// and keeps it running. The leading master runs it for as long as it leads.
//
// It is an ordinary framework: it subscribes over HTTP to its own master, under a fixed
// framework id, in the role `system`, launches on ordinary offers, and keeps what it
// launched in its space of the store, committed before the launch. It suppresses offers
// while nothing waits. Nothing here knows more of marathonish than a command line.
//
// Plan decides, and is pure: events and the time go in, effects come out. Run does what
// it says: the store, the calls, the clock.
//
// Never twice: an instance is launched again only when its last attempt is known to be
// over or its agent is unreachable; who comes back from there is killed. A deposed
// leader's init writes nothing any more, because every record is committed under the
// key that the newest one has taken.
//
// It never decides who is offered what (the allocator's), what a framework does, or how
// many masters there are. Concurrency: one mutex of a session holds the Plan, which the
// framework's goroutine and the clock's both step; Status may be asked from anywhere.
package boot
