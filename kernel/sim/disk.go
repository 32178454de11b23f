package sim

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"

	"github.com/profferhq/proffer/kernel/agent/checkpoint"
)

// disk is a file system in memory that loses what was not synced when the power
// goes. It outlives the agent and the machine's reboots.
type disk struct {
	names  map[string]*inode // as programs see them
	synced map[string]*inode // as they are after a crash
	cut    bool              // power is gone: syncs fail
}

// inode is one file: what is in it, and what would be left of it.
type inode struct {
	data  []byte
	stays []byte
	dirty int // up to here data and stays are the same
}

func newDisk() *disk { return &disk{names: map[string]*inode{}, synced: map[string]*inode{}} }

var errCut = errors.New("the power is gone")

// crash loses what was not synced. Of bytes that were written and not synced any
// part may be there all the same.
func (d *disk) crash(rng *rand.Rand) {
	d.cut = false
	d.names = map[string]*inode{}
	for name, f := range d.synced {
		kept := append([]byte(nil), f.stays...)
		if n := len(f.data) - len(f.stays); n > 0 && len(f.stays) > 0 {
			kept = append(kept, f.data[len(f.stays):len(f.stays)+rng.IntN(n+1)]...)
		}
		f.data, f.stays, f.dirty = kept, append([]byte(nil), kept...), len(kept)
		d.names[name] = f
	}
}

func (d *disk) Open(name string, create bool) (checkpoint.File, error) {
	f := d.names[name]
	if f == nil {
		if !create {
			return nil, fs.ErrNotExist
		}
		f = &inode{}
		d.names[name] = f
	}
	return &handle{disk: d, file: f}, nil
}

func (d *disk) Rename(oldname, newname string) error {
	d.names[newname] = d.names[oldname]
	delete(d.names, oldname)
	return nil
}

func (d *disk) Remove(name string) error {
	delete(d.names, name)
	return nil
}

func (d *disk) SyncDir(string) error {
	if d.cut {
		return errCut
	}
	d.synced = map[string]*inode{}
	for name, f := range d.names {
		d.synced[name] = f
	}
	return nil
}

func (d *disk) MakeDir(string) error { return nil }

type handle struct {
	disk *disk
	file *inode
	pos  int
}

func (h *handle) Read(p []byte) (int, error) {
	if h.pos >= len(h.file.data) {
		return 0, io.EOF
	}
	n := copy(p, h.file.data[h.pos:])
	h.pos += n
	return n, nil
}

func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	if need := int(off) + len(p); need > len(h.file.data) {
		h.file.data = append(h.file.data, make([]byte, need-len(h.file.data))...)
	}
	h.file.dirty = min(h.file.dirty, int(off))
	return copy(h.file.data[off:], p), nil
}

func (h *handle) Truncate(size int64) error {
	h.file.data = h.file.data[:min(int(size), len(h.file.data))]
	h.file.dirty = min(h.file.dirty, len(h.file.data))
	return nil
}

func (h *handle) Sync() error {
	if h.disk.cut {
		return errCut
	}
	f := h.file
	f.stays = append(f.stays[:f.dirty], f.data[f.dirty:]...)
	f.dirty = len(f.data)
	return nil
}

func (h *handle) Close() error { return nil }
