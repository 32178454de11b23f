package disk

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// node is a file or directory. What is not here is done by the one that it wraps.
type node struct {
	*fs.LoopbackNode
	d *Disk

	mu       sync.Mutex
	unsynced []*change // oldest first
	dropped  []*change // by a fsync that has failed before one that went well
	file     *os.File  // the real one, open while there are any
}

// WrapChild makes the nodes below to ones of this kind.
func (n *node) WrapChild(_ context.Context, ops fs.InodeEmbedder) fs.InodeEmbedder {
	plain, ok := ops.(*fs.LoopbackNode)
	if !ok {
		return ops
	}
	return &node{LoopbackNode: plain, d: n.d}
}

// Open opens a file.
func (n *node) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	f, more, errno := n.LoopbackNode.Open(ctx, flags)
	if errno != 0 {
		return nil, 0, errno
	}
	return n.d.opened(filepath.Base(n.Path(n.Root())), f), more, 0
}

// Create makes one and opens it.
func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	inode, f, more, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	if errno != 0 {
		return nil, nil, 0, errno
	}
	return inode, n.d.opened(name, f), more, 0
}

// opened keeps the system's kernel from writing to the real file by itself, which it can
// since Linux 6.9: of a followed file each write is to be seen.
func (d *Disk) opened(name string, f fs.FileHandle) fs.FileHandle {
	if real, ok := f.(*fs.LoopbackFile); ok && d.o.Follows(name) {
		return seen{real}
	}
	return f
}

type seen struct{ *fs.LoopbackFile }

// PassthroughFd says that there is none.
func (seen) PassthroughFd() (int, bool) { return 0, false }

// Write writes, and remembers what was there before.
func (n *node) Write(ctx context.Context, f fs.FileHandle, data []byte, at int64) (uint32, syscall.Errno) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range slices.Concat(n.unsynced, n.dropped) {
		c.written(at, at+int64(len(data)))
	}
	n.remember(at, int64(len(data)), false)
	w, ok := f.(fs.FileWriter)
	if !ok {
		return 0, syscall.EBADF
	}
	return w.Write(ctx, data, at)
}

// Setattr sets attributes; of a new length it remembers what is cut off.
func (n *node) Setattr(ctx context.Context, f fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.remember(int64(size), 0, true)
	}
	return n.LoopbackNode.Setattr(ctx, f, in, out)
}

// remember is called with the lock held. A file that nobody can open any more has no name,
// and is not found after a loss of power.
func (n *node) remember(at, length int64, cut bool) {
	name := n.Path(n.Root())
	if !n.d.o.Follows(filepath.Base(name)) {
		return
	}
	if n.file == nil {
		file, err := os.OpenFile(filepath.Join(n.d.o.Folder, name), os.O_RDWR, 0)
		if err != nil {
			return
		}
		n.file = file
		n.d.note(n)
	}
	if c, err := before(n.file, at, length, cut); err == nil {
		n.unsynced = append(n.unsynced, &c)
	}
}

// Fsync is what all of this is for.
func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	n.mu.Lock()
	until := len(n.unsynced)
	n.mu.Unlock()
	errno := n.d.sync()
	n.mu.Lock()
	defer n.mu.Unlock()
	done := n.unsynced[:min(until, len(n.unsynced))]
	for _, c := range done {
		if errno != 0 {
			c.drop()
		} else if len(c.holes) > 0 {
			n.dropped = append(n.dropped, c)
		}
	}
	if errno == 0 {
		n.unsynced = slices.Clone(n.unsynced[len(done):])
	}
	if len(n.unsynced)+len(n.dropped) == 0 {
		_ = n.close() // read from, and written only by PowerLoss
	}
	return errno
}

// close ends the memory of what was written.
func (n *node) close() (err error) {
	if n.file != nil {
		err = n.file.Close()
	}
	n.file, n.unsynced, n.dropped = nil, nil, nil
	return err
}

// forget takes back what is not on the disk.
func (n *node) forget() (had bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range slices.Backward(n.unsynced) {
		had = true
		err = errors.Join(err, c.undo(n.file))
	}
	for _, c := range slices.Backward(n.dropped) {
		had = had || len(c.holes) > 0
		err = errors.Join(err, c.punch(n.file))
	}
	return had, errors.Join(err, n.close())
}

// OpendirHandle opens a directory whose fsync is this package's, too.
func (n *node) OpendirHandle(ctx context.Context, _ uint32) (fs.FileHandle, uint32, syscall.Errno) {
	entries, errno := n.Readdir(ctx)
	if errno != 0 {
		return nil, 0, errno
	}
	return &dir{entries, n}, 0, 0
}

// dir is an open directory.
type dir struct {
	fs.DirStream
	n *node
}

// Readdirent is the next entry.
func (d *dir) Readdirent(context.Context) (*fuse.DirEntry, syscall.Errno) {
	if !d.HasNext() {
		return nil, 0
	}
	e, errno := d.Next()
	return &e, errno
}

// Seekdir goes to an entry.
func (d *dir) Seekdir(ctx context.Context, at uint64) syscall.Errno {
	if s, ok := d.DirStream.(fs.FileSeekdirer); ok {
		return s.Seekdir(ctx, at)
	}
	return syscall.ENOTSUP
}

// Releasedir closes it.
func (d *dir) Releasedir(context.Context, uint32) { d.Close() }

// Fsyncdir is that of a file.
func (d *dir) Fsyncdir(ctx context.Context, flags uint32) syscall.Errno {
	return d.n.Fsync(ctx, nil, flags)
}
