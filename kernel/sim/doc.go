// Package sim runs a whole cluster from one seed in virtual time: the very code of the
// masters' replicated state (kernel/registry, kernel/store), of the leader's mind
// (kernel/cluster with its allocator), of the agents' (kernel/agent/ledger) and of
// their disks (kernel/agent/checkpoint), among simulated schedulers, executors,
// processes, networks, clocks and file systems. Between masters it has a raft of its own,
// as small as can be. A framework with a mind (sdk/scheduler/mind) can be run in it, too:
// see Framework, and package e2e/sim, which does so with the two that come with the
// kernel.
//
// Messages get lost, late, twice and out of order; streams break with what is in them;
// cuts are in one direction or in both; clocks are ahead, behind, slow and fast. Leaders
// are deposed and go on for a while, proposals have no known fate. Masters lose their
// disks while a majority keeps its, or all are replaced by fresh ones that a snapshot is
// restored on. In many runs some masters begin with an older release, whose commands all
// use until it is upgraded. Agents, executors, schedulers and machines crash, between any
// two things that they do; disks lose what was not synced. Operators drain agents, deactivate them,
// want them again, and give them up: living ones, and such whose machine was replaced.
// Executors stand still, processes are killed by strangers, and who should tell of an end
// may be dead himself. Spaces of the store are full, and have room again.
//
// After every step the promises are looked at: one leader in a term, one command at an
// index, equal states at equal indexes, no command or snapshot that a master's release does
// not understand, a leader's mind that believes in the registry that there is, no resource given away twice, used never exceeds
// what an agent has, no agent obeys an older leader than it did, a task starts at most
// once, its updates reach its framework in order and without a gap, an end is final and
// no process is left behind, what an agent saw end it knows to have ended, who was given up
// does not come back, and a framework's instance takes over from all that was stored. In
// the end, when the faults stop, everything must come to rest with every task accounted
// for.
//
// Equal options give equal runs, step by step: Result.Trace is a digest of all that
// happened. A failure names the seed and the command that replays it.
//
// A run is one goroutine; runs share nothing.
package sim
