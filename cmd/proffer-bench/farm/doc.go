// Package farm is many agents in one process, without machines below them. Towards a
// master they are agents: they speak the protocol of kernel/link over HTTP, keep every
// update until it is acknowledged, one of a task on its way at a time, refuse old fences,
// and register again with all of their tasks when their stream ends. A task runs at once
// and finishes after the time that the farm was made with; no process is behind it.
//
// The package never judges what it sees: it counts. It keeps nothing on disk, takes no
// part in the gossip and fetches nothing.
//
// Concurrency: two goroutines an agent, one that reads its stream and one that posts its
// calls. An agent's books have one lock; the counts are atomic. All methods of Farm may be
// called from anywhere.
package farm
