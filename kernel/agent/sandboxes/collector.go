package sandboxes

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Collector removes what the policy says, from one file system.
type Collector struct {
	policy  Policy
	measure func() (Disk, error)
	remove  func(path string) error

	work sync.Mutex // one removal at a time

	mu    sync.Mutex
	ended []Ended // oldest first
}

// NewCollector makes a collector for containers whose directories are on the file
// system of dir.
func NewCollector(p Policy, dir string) *Collector {
	return &Collector{policy: p, measure: func() (Disk, error) { return Measure(dir) }, remove: os.RemoveAll}
}

// Measure asks the file system of dir.
func Measure(dir string) (Disk, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return Disk{}, fmt.Errorf("measure the disk of %s: %w", dir, err)
	}
	size := uint64(st.Bsize)
	return Disk{Bytes: (st.Blocks - st.Bfree + st.Bavail) * size, BytesFree: st.Bavail * size, Inodes: st.Files, InodesFree: st.Ffree}, nil
}

// Add hands a container over that has ended and that nobody writes to any more. A
// container that is there already keeps its place.
func (c *Collector) Add(e Ended) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := sort.Search(len(c.ended), func(i int) bool { return c.ended[i].At.After(e.At) })
	c.ended = slices.Insert(c.ended, at, e)
}

// Len is how many ended containers still have their directories.
func (c *Collector) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ended)
}

// Full says whether the disk is above the pressure now, for one system call. Call it
// often, and Collect when it says so: small disks fill within seconds.
func (c *Collector) Full() bool {
	d, err := c.measure()
	return err == nil && c.policy.Full(d)
}

// Collect removes what is due, oldest first, and returns the containers. What can
// not be removed is in the error, is left for the next time, and does not keep
// younger ones from being removed.
func (c *Collector) Collect(now time.Time) ([]string, error) {
	c.work.Lock()
	defer c.work.Unlock()
	var removed []string
	var stuck []Ended
	var errs []error
	for {
		d, err := c.measure()
		if err != nil {
			errs = append(errs, err)
			break
		}
		batch := c.take(now, d)
		if len(batch) == 0 {
			break
		}
		for _, e := range batch {
			if err := c.removeAll(e); err != nil {
				errs, stuck = append(errs, err), append(stuck, e)
				continue
			}
			removed = append(removed, e.Container)
		}
	}
	for _, e := range stuck {
		c.Add(e)
	}
	return removed, errors.Join(errs...)
}

// take takes off the list what goes now.
func (c *Collector) take(now time.Time, d Disk) []Ended {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.policy.Decide(now, c.ended, d)
	batch := slices.Clone(c.ended[:n])
	c.ended = slices.Delete(c.ended, 0, n)
	return batch
}

func (c *Collector) removeAll(e Ended) error {
	var errs []error
	for _, p := range e.Paths {
		if p == "" {
			continue
		}
		if err := c.remove(p); err != nil {
			errs = append(errs, fmt.Errorf("remove what container %s has left: %w", e.Container, err))
		}
	}
	return errors.Join(errs...)
}
