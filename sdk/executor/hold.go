package executor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// Held keeps the output FIFOs of a container open. What a task has written stays
// in its FIFO only as long as somebody has it open: a task that writes and ends
// between the death of its executor and the adoption by the next would lose it. So
// the agent, which is neither, holds the FIFOs of every container, from before the
// launch until the last output is drained.
type Held struct {
	fds []int
}

// Hold makes the FIFOs of a specification, in its runtime directory, and holds
// them. Start uses them then. The error is a *LaunchError.
func Hold(spec *sdk.LaunchSpec) (*Held, error) {
	h := &Held{}
	for _, stream := range []string{StdoutStream, StderrStream} {
		if _, err := makeFIFO(spec, stream); err != nil {
			h.Close()
			return nil, err
		}
		fd, err := OpenFIFO(spec.RuntimeDir, stream)
		if err != nil {
			h.Close()
			return nil, &LaunchError{Step: "open the FIFO", Path: filepath.Join(spec.RuntimeDir, stream), Err: cause(err)}
		}
		h.fds = append(h.fds, fd)
	}
	return h, nil
}

// HoldAgain holds what is there of a container's FIFOs, after a restart.
func HoldAgain(runtimeDir string) *Held {
	h := &Held{}
	for _, stream := range []string{StdoutStream, StderrStream} {
		if fd := openLeft(runtimeDir, stream); fd >= 0 {
			h.fds = append(h.fds, fd)
		}
	}
	return h
}

// Close lets go; nil is fine, and so is a second time.
func (h *Held) Close() {
	if h == nil {
		return
	}
	for _, fd := range h.fds {
		_ = unix.Close(fd)
	}
	h.fds = nil
}

// makeFIFO makes a stream's FIFO unless it is there; made tells which.
func makeFIFO(spec *sdk.LaunchSpec, stream string) (made bool, err error) {
	path := filepath.Join(spec.RuntimeDir, stream)
	err = unix.Mkfifo(path, 0o600)
	if errors.Is(err, unix.EEXIST) {
		st, statErr := os.Lstat(path)
		if statErr == nil && st.Mode().Type() == fs.ModeNamedPipe {
			return false, nil
		}
	}
	if err != nil {
		return false, &LaunchError{Step: "make the FIFO", Path: path, Err: err}
	}
	if !spec.SetIDs {
		return true, nil
	}
	// The owner may open it again as /dev/stdout.
	if err := unix.Lchown(path, int(spec.UID), int(spec.GID)); err != nil {
		_ = os.Remove(path)
		return false, &LaunchError{Step: "give the FIFO to the user", Path: path, Err: err}
	}
	return true, nil
}
