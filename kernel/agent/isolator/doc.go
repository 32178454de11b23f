// Package isolator holds the contract between the agent and the parts that keep
// containers apart on this machine: control groups, directories, plain process
// groups. Each part is a folder below this one; the agent writes their order down
// in one list and drives them through a Chain.
//
// It owns the contract and the order of doing and undoing, never a decision about
// which container lives. An isolator holds no truth of its own: everything it needs
// to find a container again is in Container, so that an agent that restarts can
// clean up what its predecessor prepared.
//
// Concurrency: an isolator is called by many goroutines at once, but never for the
// same container at the same time.
package isolator
