package supervise

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// lockEnv hands the held lock over an exec of ourselves.
const lockEnv = "PROFFER_LOCK_FD"

// lockPatience is how long a lock may still be held by the last child of a dead
// predecessor, which has not come to its program yet.
const lockPatience = 3 * time.Second

// Lock keeps a second process off the same work.
type Lock struct {
	fd   int
	path string
}

// TakeLock locks the file, or takes over the lock that this process held before it
// executed itself anew. CodeConflict: another holds it.
func TakeLock(path string) (*Lock, error) {
	if fd, err := strconv.Atoi(os.Getenv(lockEnv)); err == nil {
		_ = os.Unsetenv(lockEnv)
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err == nil {
			return &Lock{fd: fd, path: path}, nil
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	for deadline := time.Now().Add(lockPatience); ; time.Sleep(5 * time.Millisecond) {
		err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return &Lock{fd: fd, path: path}, nil
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.EWOULDBLOCK):
			_ = unix.Close(fd)
			return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
		case time.Now().After(deadline):
			_ = unix.Close(fd)
			return nil, sdk.Errorf(sdk.CodeConflict, "", "%s is locked: another one serves already", path)
		}
	}
}

// Release gives the lock up.
func (l *Lock) Release() { _ = unix.Close(l.fd) }

// Exec executes binary in place of this process, with the same arguments and
// environment, and keeps the lock: children stay children. It returns only with an
// error.
func (l *Lock) Exec(binary string) error {
	if _, err := unix.FcntlInt(uintptr(l.fd), unix.F_SETFD, 0); err != nil {
		return err
	}
	env := append(os.Environ(), lockEnv+"="+strconv.Itoa(l.fd))
	err := unix.Exec(binary, append([]string{binary}, os.Args[1:]...), env)
	_, _ = unix.FcntlInt(uintptr(l.fd), unix.F_SETFD, unix.FD_CLOEXEC)
	return &fs.PathError{Op: "execute", Path: binary, Err: err}
}
