package executor

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// FindExit looks for the end of a process that had another parent: at the zombie
// that waits for it, in the records of the launchers and agents below runtime, and,
// with a pidfd that was open before the end (or -1), in the kernel (Linux 6.15 or
// later). ok is false while it runs, and while it is a zombie that only its parent
// can read. Known is false in the answer when it is gone and nobody can tell.
func FindExit(runtime string, p sdk.Process, pidfd int) (e Exit, ok bool, err error) {
	// Look whether it is gone before the records are read: they are written before
	// the process is reaped, so what is gone now is in them if it ever will be.
	s, gone := lookup(p)
	e = Exit{Process: p, Known: true, Nanos: time.Now().UnixNano()}
	if e.WaitStatus, ok = kernelExit(pidfd); ok {
		return e, true, nil
	}
	if gone == nil && s.state == 'Z' && (s.exit != 0 || os.Geteuid() == 0) {
		e.WaitStatus = s.exit
		return e, true, nil
	}
	if e, ok, err = searchExits(runtime, p); ok || err != nil {
		return e, ok, err
	}
	if gone == nil {
		return Exit{}, false, nil
	}
	if !errors.Is(gone, fs.ErrNotExist) {
		return Exit{}, false, gone
	}
	return Exit{Process: p, Nanos: time.Now().UnixNano()}, true, nil
}

// kernelExit asks the kernel for the status of a process that somebody reaped.
func kernelExit(pidfd int) (status int32, ok bool) {
	if pidfd < 0 {
		return 0, false
	}
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	if err := unix.IoctlPidfdInfo(pidfd, &info); err != nil || info.Mask&unix.PIDFD_INFO_EXIT == 0 {
		return 0, false
	}
	return info.Exit_code, true
}

// Peek tells the status of a child that has ended, and leaves it unreaped: write
// the record, then Reap. ok is false while it runs. unix.ECHILD: it is not a child
// of this process.
func Peek(pid int) (status int32, ok bool, err error) {
	info, err := waitid(unix.P_PID, pid, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT)
	if err != nil || info.pid == 0 {
		return 0, false, err
	}
	return info.waitStatus(), true, nil
}

// Reap collects a child that has ended, after its record is written.
func Reap(pid int) error {
	_, err := waitid(unix.P_PID, pid, unix.WEXITED|unix.WNOHANG)
	return err
}
