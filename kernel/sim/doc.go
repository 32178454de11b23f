// Package sim runs a whole cluster from one seed in virtual time: the very code of
// the leader's mind (kernel/cluster with its allocator and registry), of the
// agents' (kernel/agent/ledger) and of their disks (kernel/agent/checkpoint),
// among simulated schedulers, executors, processes, networks and file systems.
//
// Messages get lost, late, twice and out of order; streams break with what is
// in them; leaders, agents, executors, schedulers and machines crash; leaders
// are deposed and go on for a while; disks lose what was not synced. After every
// step the promises are looked at: no resource is given away twice, used never
// exceeds what an agent has, a task starts at most once, its updates reach its
// framework in order and without a gap, an end is final. In the end, when the
// faults stop, everything must come to rest with every task accounted for.
//
// Equal options give equal runs, step by step: Result.Trace is a digest of all
// that happened. A failure names the seed and the command that replays it.
//
// A run is one goroutine; runs share nothing.
package sim
