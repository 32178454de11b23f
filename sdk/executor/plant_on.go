//go:build plant_attach_after_exec

package executor

// plantAttachAfterExec makes the parent attach a process that runs already, which
// leaves out what it forks meanwhile. The tests must find it.
const plantAttachAfterExec = true
