package executor

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// procStat is what /proc/PID/stat tells of a process.
type procStat struct {
	state     byte // 'Z' once it has ended and is not reaped
	parent    int
	session   int
	startTime uint64
	exit      int32 // the wait status of a zombie; 0 too without the right to see it
}

// readStat reads /proc/PID/stat; an error that is fs.ErrNotExist means that there
// is no such process.
func readStat(pid int) (procStat, error) {
	var buf [1024]byte
	path := "/proc/" + strconv.Itoa(pid) + "/stat"
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return procStat{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	n, err := unix.Read(fd, buf[:])
	_ = unix.Close(fd)
	if err != nil {
		if errors.Is(err, unix.ESRCH) {
			err = fs.ErrNotExist
		}
		return procStat{}, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	// The name may hold anything, blanks and brackets too: count from its end.
	_, rest, ok := bytes.Cut(buf[bytes.LastIndexByte(buf[:n], ')')+1:n], []byte(" "))
	f := bytes.Fields(rest)
	if !ok || len(f) < 20 {
		return procStat{}, sdk.Errorf(sdk.CodeInternal, "", "%s has not the form that Linux gives it", path)
	}
	s := procStat{state: f[0][0]}
	s.parent, _ = strconv.Atoi(string(f[1]))
	s.session, _ = strconv.Atoi(string(f[3]))
	if len(f) >= 50 {
		exit, _ := strconv.ParseInt(string(f[49]), 10, 32)
		s.exit = int32(exit)
	}
	s.startTime, err = strconv.ParseUint(string(f[19]), 10, 64)
	return s, err
}

// Alive tells whether the process is the one of that name and has not ended. One
// of another boot, or whose pid is used again, is not alive.
func Alive(p sdk.Process) bool {
	s, err := lookup(p)
	return err == nil && s.state != 'Z' && s.state != 'X'
}

// lookup finds the process p, also as a zombie; fs.ErrNotExist if it is gone.
func lookup(p sdk.Process) (procStat, error) {
	if boot, err := bootID(); err != nil || boot != p.BootID || p.PID <= 0 {
		return procStat{}, errors.Join(err, fs.ErrNotExist)
	}
	s, err := readStat(int(p.PID))
	if err == nil && p.StartTime != 0 && s.startTime != p.StartTime {
		err = fs.ErrNotExist
	}
	return s, err
}

// Open gives a pidfd of the process: an error that is fs.ErrNotExist when it has
// been reaped. The caller closes it.
func Open(p sdk.Process) (pidfd int, err error) {
	if p.PID <= 0 {
		return -1, fs.ErrNotExist
	}
	fd, err := unix.PidfdOpen(int(p.PID), 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return -1, fs.ErrNotExist
	}
	if err != nil {
		return -1, os.NewSyscallError("pidfd_open", err)
	}
	// Only a look after the open is sure to be about what the pidfd holds.
	if _, err := lookup(p); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Age is how long ago the process started, by the clock that counts suspended time
// too. It is 0 when the start time is not known.
func Age(p sdk.Process) time.Duration {
	const tick = time.Second / 100 // USER_HZ, fixed in what Linux shows
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil || p.StartTime == 0 {
		return 0
	}
	return time.Duration(now.Nano()) - time.Duration(p.StartTime)*tick
}
