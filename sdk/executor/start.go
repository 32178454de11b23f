package executor

import "github.com/profferhq/proffer/sdk"

// Started is a process that Start made.
type Started struct {
	Process sdk.Process
	PIDFD   int // closed by Close
	Stdout  int // FIFO, open for reading without blocking
	Stderr  int
}

// Close releases the descriptors; the process runs on.
func (s *Started) Close() { panic("soon") }

// Start starts the process of a specification at most once.
func Start(spec *sdk.LaunchSpec) (*Started, error) { panic("soon") }

// LaunchError is a launch that did not happen; nothing is left of it.
type LaunchError struct {
	Step string // such as "join cgroup", "set user", "execute program"
	Path string // the file or directory that the step was about, if any
	Err  error
	// Exec tells that everything was prepared and the program itself could not be
	// executed, which Mesos reports as a task that exited with status 1.
	Exec bool
}

func (e *LaunchError) Error() string { panic("soon") }

// Unwrap is the cause, often a syscall.Errno.
func (e *LaunchError) Unwrap() error { return e.Err }
