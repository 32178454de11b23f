// Package fetch brings a task's URIs into its sandbox: http, https, data and,
// where the operator allows it, files of the agent's machine; it marks programs as
// executable, checks digests and unpacks archives within bounds.
//
// It runs as the task's user in a process of its own that has nothing of the
// agent's environment: what it touches is what the task could touch. Everything is
// written through os.Root, so that no name and no link leads out of the sandbox.
//
// It owns the bounds, never the decision to run the task. Concurrency: no state
// beyond one call.
package fetch
