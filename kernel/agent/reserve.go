package agent

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// reserveBytes is kept on the disk for the checkpoint alone, room for some ten
// thousand updates; on a small disk a fiftieth of it.
const reserveBytes = 4 << 20

// errFull fails launches while the reserve is in use.
var errFull = fmt.Errorf("the agent's disk is full: %w", syscall.ENOSPC)

// reserve is a file that takes up space until the disk is full. It is then given
// up, so that the failures that a full disk brings can be stored and told.
type reserve struct {
	path string
	size int64
	used atomic.Bool // given up
}

func newReserve(path string, log *slog.Logger) *reserve {
	r := &reserve{path: path, size: reserveBytes}
	var st unix.Statfs_t
	if unix.Statfs(filepath.Dir(path), &st) == nil {
		r.size = max(64<<10, min(r.size, int64(st.Blocks)*st.Bsize/50))
	}
	err := r.make()
	r.used.Store(err != nil)
	if err != nil {
		log.Error("the space that is kept for a full disk cannot be taken; nothing is launched until it can be", "file", path, "error", err)
	}
	return r
}

func (r *reserve) make() error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, r.size)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		_ = os.Remove(r.path)
	}
	return err
}

// release gives the space up; false when that was done before.
func (r *reserve) release() bool {
	if r.used.Swap(true) {
		return false
	}
	return os.Remove(r.path) == nil
}

// full says that nothing new is begun: the reserve is in use, or less than it is
// left for what runs already.
func (r *reserve) full() bool { return r.used.Load() || r.left() < r.size }

// left is the space that anyone may use.
func (r *reserve) left() int64 {
	var st unix.Statfs_t
	if unix.Statfs(filepath.Dir(r.path), &st) != nil {
		return 0
	}
	return int64(st.Bavail) * st.Bsize
}

// renew takes the space again once there is more than twice as much.
func (r *reserve) renew() {
	if !r.used.Load() {
		return
	}
	if r.left() < 2*r.size {
		return
	}
	if r.make() == nil {
		r.used.Store(false)
	}
}
