// Package sandbox makes and removes the directories of a container: the sandbox,
// which is the task user's; the runtime directory with FIFOs and records, and the
// log directory, which are root's, so that no task can swap them for links.
//
// It owns the layout below the agent's work directory, never the removal of a
// sandbox or of logs: they stay for their readers until package sandboxes takes
// them. Concurrency: it holds the output FIFOs of every container open, behind a
// lock; all methods may be called from anywhere.
package sandbox
