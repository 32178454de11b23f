// Package cluster is the leading master's mind: which frameworks and agents
// there are, what is offered to whom, which task is in which state, and what
// follows from a call, a status or the passing of time.
//
// It is a state machine: Step takes one Input and gives the Effects, in order,
// that the shell (kernel/master, sdk/sdktest, kernel/sim) has to perform. It
// never touches a clock, the network, a disk or a log; time comes in as a
// parameter, and equal inputs give equal effects, byte for byte.
//
// What must survive a master goes through Propose: admission and loss of agents,
// frameworks with their deadlines. Launches never do: offers, tasks and
// executors are soft state that a new leader learns again from the agents.
//
// The shell's duties: verify its leadership before it steps a Subscribe or an
// AgentRegister; step a Tick whenever its queue of inputs is drained and Due has
// come (allocation happens there, so that a burst of terminal tasks makes large
// offers and not many small ones); encode events in the goroutine of the
// connection. Events inside effects are shared and must never be changed; the
// slice that Step returns is valid until the next Step.
//
// A Cluster is not safe for concurrent use: one goroutine owns it.
package cluster
