package sandboxes

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"
)

// Collector removes what the policy lets go.
type Collector struct {
	policy  Policy
	dir     string // on the file system that is watched
	measure func(dir string) (Disk, error)
	remove  func(path string) error

	mu    sync.Mutex
	ended map[string]Ended
}

// NewCollector watches the file system of dir.
func NewCollector(p Policy, dir string) *Collector {
	return &Collector{policy: p, dir: dir, measure: Measure, remove: os.RemoveAll, ended: map[string]Ended{}}
}

// Measure asks the kernel how full the file system of dir is.
func Measure(dir string) (Disk, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return Disk{}, err
	}
	// Bavail is what is left for everyone; the reserve of root is not ours to use.
	used := st.Blocks - st.Bfree
	size := uint64(st.Bsize) //nolint:gosec // a block size is positive
	return Disk{Bytes: (used + st.Bavail) * size, BytesFree: st.Bavail * size, Inodes: st.Files, InodesFree: st.Ffree}, nil
}

// Add tells of a container that has ended.
func (c *Collector) Add(e Ended) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended[e.Container] = e
}

// Len is how many containers wait for their removal.
func (c *Collector) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ended)
}

// Collect removes everything whose time is over, and under pressure one container after
// the other, the oldest first, until the disk has room again. It names what it removed;
// an error does not keep it from the others.
func (c *Collector) Collect(now time.Time) (removed []string, err error) {
	c.mu.Lock()
	list := make([]Ended, 0, len(c.ended))
	for _, e := range c.ended {
		list = append(list, e)
	}
	c.mu.Unlock()
	gone := map[string]bool{}
	var all []error
	drop := func(e Ended) {
		if err := c.drop(e); err != nil {
			all = append(all, err)
			return
		}
		gone[e.Container] = true
		removed = append(removed, e.Container)
	}
	for _, e := range c.policy.Expired(now, list) {
		drop(e)
	}
	for _, e := range oldestFirst(list) {
		if gone[e.Container] {
			continue
		}
		disk, err := c.measure(c.dir)
		if err != nil {
			all = append(all, err)
			break
		}
		if !c.policy.Pressed(disk) {
			break
		}
		drop(e)
	}
	return removed, errors.Join(all...)
}

// drop removes one container's directories, and forgets it when they are gone.
func (c *Collector) drop(e Ended) error {
	for _, p := range e.Paths {
		if err := c.remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ended, e.Container)
	return nil
}
