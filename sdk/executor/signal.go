package executor

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// SignalGroup signals the whole process group of a process that Start made (each
// leads its own). A process that has ended is no error; its group may live on, and
// is the agent's to empty.
func SignalGroup(p sdk.Process, sig unix.Signal) error {
	fd, err := Open(p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	// By pidfd the group cannot be another's that got the same number (Linux 6.9).
	err = unix.PidfdSendSignal(fd, sig, nil, unix.PIDFD_SIGNAL_PROCESS_GROUP)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		err = unix.Kill(-int(p.PID), sig)
	}
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return os.NewSyscallError("signal", err)
}

// HasChildren tells whether the calling process has any child, zombies included.
func HasChildren() bool {
	_, err := waitid(unix.P_ALL, 0, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT)
	return !errors.Is(err, unix.ECHILD)
}
