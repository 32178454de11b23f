// Package view is what readers see: agents, frameworks, executors and tasks, and
// what failed lately, folded from the operator event stream of the leader. The
// same code runs on the leader, on followers and in clients of the stream.
//
// An agent that became unreachable stays in sight, not active, with what it had
// and since when, until it is back or a new leader knows it as gone.
//
// It answers the reading operator calls and makes the snapshot that a SUBSCRIBE
// begins with. Histories are bounded: ended tasks per framework, removed
// frameworks, failures.
//
// It decides nothing and asks nobody: what no event told, it does not know. A
// View is not safe for concurrent use while Apply may run; its answers share
// only data that never changes and may be kept.
package view
