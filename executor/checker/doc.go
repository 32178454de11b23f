// Package checker makes the health checks of tasks, beside them: an HTTP request, a
// TCP connection, or a command in the task's own container.
//
// It decides nothing: one call makes one check and says why it failed. When to call
// and what a failure means is package probe's. Network checks go to the agent's
// address, which tasks know as their host, and where nobody listens there to the
// loopback address. Each makes one connection and keeps none.
//
// A command check is born in its task's groups: what it uses counts as the task's, and
// what it leaves behind ends with the task at the latest.
//
// All functions may be called from anywhere at once; a check takes the goroutine of
// its caller, and a command check two more while it runs.
package checker
