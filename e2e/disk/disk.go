package disk

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Options say what a Disk is.
type Options struct {
	Folder  string                     // where the files really are
	At      string                     // the directory that shows them
	Follows func(name string) bool     // whether PowerLoss is to know files of that base name
	Inside  func(f func() error) error // runs a function in the mount namespace of At; nil: that of the caller
}

// Disk is a mounted one.
type Disk struct {
	o Options

	mu        sync.Mutex
	delay     time.Duration
	fails     syscall.Errno
	good, bad int
	well      int // how many go well before the first that fails
	unsynced  map[*node]struct{}
}

// Mount mounts one. The error says what the machine lacks.
func Mount(o Options) (*Disk, error) {
	if o.Inside == nil {
		o.Inside = func(f func() error) error { return f() }
	}
	d := &Disk{o: o, unsynced: map[*node]struct{}{}}
	data := &fs.LoopbackRoot{Path: o.Folder}
	root := &node{LoopbackNode: &fs.LoopbackNode{RootData: data}, d: d}
	data.RootNode = root
	options := &fs.Options{MountOptions: fuse.MountOptions{
		Name: "folder", FsName: o.Folder, DirectMountStrict: true, AllowOther: true, Options: []string{"default_permissions"},
	}}
	err := o.Inside(func() error {
		_, err := fs.Mount(o.At, root, options)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("mount a FUSE file system at %s: %w (root and /dev/fuse are needed)", o.At, err)
	}
	return d, nil
}

// Close unmounts it, as soon as nobody uses it.
func (d *Disk) Close() error {
	return d.o.Inside(func() error { return unix.Unmount(d.o.At, unix.MNT_DETACH) })
}

// Slow has each fsync from now on take so long; 0: no time.
func (d *Disk) Slow(delay time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delay = delay
}

// Fail has each fsync from now on fail with an error, such as EIO; 0: none.
func (d *Disk) Fail(errno syscall.Errno) { d.FailAfter(0, errno) }

// FailAfter has so many go well before that, and counts both anew.
func (d *Disk) FailAfter(well int, errno syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails, d.well, d.good, d.bad = errno, well, 0, 0
}

// Syncs is how many times somebody has called fsync since the last Fail, and was told that
// all is well, or not.
func (d *Disk) Syncs() (good, bad int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.good, d.bad
}

// sync takes its time, and tells whether what was written before is kept.
func (d *Disk) sync() syscall.Errno {
	d.mu.Lock()
	delay := d.delay
	d.mu.Unlock()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		<-timer.C // also who is killed meanwhile waits: a disk does not hurry for a signal
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fails != 0 && d.good >= d.well {
		d.bad++
		return d.fails
	}
	d.good++
	return 0
}

// PowerLoss takes back what is not on the disk of each followed file: what was written since
// its last fsync, and what was written before one that has failed and never since. It tells
// how many files that has changed.
func (d *Disk) PowerLoss() (changed int, err error) {
	d.mu.Lock()
	nodes := d.unsynced
	d.unsynced = map[*node]struct{}{}
	d.mu.Unlock()
	for n := range nodes {
		had, e := n.forget()
		if err = errors.Join(err, e); had {
			changed++
		}
	}
	return changed, err
}

func (d *Disk) note(n *node) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unsynced[n] = struct{}{}
}
