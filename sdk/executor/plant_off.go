//go:build !plant_attach_after_exec

package executor

// plantAttachAfterExec is true only in the build that the tests must find wrong.
const plantAttachAfterExec = false
