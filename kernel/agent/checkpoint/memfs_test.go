package checkpoint

import (
	"bytes"
	"io"
	"io/fs"
	"math/rand"
	"slices"
	"sync"
	"syscall"
)

// memFS is a file system in memory that forgets at a crash what was not synced, and
// fails when it is told to.
type memFS struct {
	mu      sync.Mutex
	names   map[string]*inode // as seen now
	durable map[string]*inode // as seen after a crash
	space   int64             // bytes that may still be written; negative for no bound
	fail    map[string]error  // operation -> what it returns, once
	syncs   int
}

type inode struct {
	now, synced []byte
	dirty       [][2]int // written ranges since the last sync
	dropped     [][2]int // of a sync that failed: seen, and not written by a later one
}

func newMemFS() *memFS {
	return &memFS{names: map[string]*inode{}, durable: map[string]*inode{}, space: -1, fail: map[string]error{}}
}

// failing returns the planted error of the operation, and forgets it.
func (m *memFS) failing(op string) error {
	err := m.fail[op]
	delete(m.fail, op)
	return err
}

func (m *memFS) MakeDir(string) error { return nil }

func (m *memFS) Open(name string, create bool) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.failing("open"); err != nil {
		return nil, err
	}
	n := m.names[name]
	if n == nil {
		if !create {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		n = &inode{}
		m.names[name] = n
	}
	return &memFile{fs: m, node: n}, nil
}

func (m *memFS) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.failing("rename"); err != nil {
		return err
	}
	m.names[to] = m.names[from]
	delete(m.names, from)
	return nil
}

func (m *memFS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.names, name)
	return nil
}

func (m *memFS) SyncDir(string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.failing("syncdir"); err != nil {
		return err
	}
	m.durable = map[string]*inode{}
	for k, v := range m.names {
		m.durable[k] = v
	}
	return nil
}

// crash is what a machine finds after its power went: durable names, synced bytes,
// and of the unsynced ones a random choice of sectors.
func (m *memFS) crash(rng *rand.Rand) *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := newMemFS()
	for name, n := range m.durable {
		text := bytes.Clone(n.synced)
		for _, d := range n.dirty {
			for at := d[0]; at < d[1]; {
				end := min((at/sector+1)*sector, d[1], len(n.now))
				if at >= end {
					break
				}
				if rng.Intn(2) == 0 {
					text = slices.Grow(text, max(0, end-len(text)))[:max(end, len(text))]
					copy(text[at:end], n.now[at:end])
				}
				at = end
			}
		}
		next.names[name] = &inode{now: text, synced: bytes.Clone(text)}
		next.durable[name] = next.names[name]
	}
	return next
}

type memFile struct {
	fs   *memFS
	node *inode
	at   int
}

func (f *memFile) Read(p []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.at >= len(f.node.now) {
		return 0, io.EOF
	}
	n := copy(p, f.node.now[f.at:])
	f.at += n
	return n, nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.failing("write"); err != nil {
		return 0, err
	}
	var err error
	if f.fs.space >= 0 && int64(len(p)) > f.fs.space {
		p, err = p[:f.fs.space], syscall.ENOSPC // what fits is written all the same
	}
	if f.fs.space >= 0 {
		f.fs.space -= int64(len(p))
	}
	end := int(off) + len(p)
	if end > len(f.node.now) {
		f.node.now = append(f.node.now, make([]byte, end-len(f.node.now))...)
	}
	copy(f.node.now[off:], p)
	f.node.dirty = append(f.node.dirty, [2]int{int(off), end})
	return len(p), err
}

func (f *memFile) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.failing("truncate"); err != nil {
		return err
	}
	if f.fs.space >= 0 {
		f.fs.space += int64(len(f.node.now)) - size
	}
	f.node.now = append(f.node.now[:0:0], f.node.now[:size]...)
	return nil
}

func (f *memFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	n := f.node
	if err := f.fs.failing("power"); err != nil {
		return err // what was written since the last one may be there, in any part
	}
	if err := f.fs.failing("sync"); err != nil {
		n.dropped, n.dirty = append(n.dropped, n.dirty...), nil
		return err
	}
	f.fs.syncs++
	was := n.synced
	n.synced = bytes.Clone(n.now)
	for _, d := range n.dropped {
		for at := d[0]; at < min(d[1], len(n.synced)); at++ {
			if slices.ContainsFunc(n.dirty, func(w [2]int) bool { return w[0] <= at && at < w[1] }) {
				continue
			}
			n.synced[at] = 0
			if at < len(was) {
				n.synced[at] = was[at]
			}
		}
	}
	n.dirty = nil
	return nil
}

func (f *memFile) Close() error { return nil }
