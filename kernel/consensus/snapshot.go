package consensus

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
)

// A snapshot is: two bytes, notRegistry and the version of this layout; the length
// of the registry's snapshot in eight bytes, and it; the store's snapshot, to the
// end. One from before the store is the registry's alone, and does not begin so.
const (
	snapshotLayout = 1
	snapshotHead   = 2 + 8
)

// maxRegistry bounds what Restore takes for a registry, in bytes.
const maxRegistry = 1 << 30

// Snapshot takes a copy; encoding and writing happen beside the next Apply.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	f.mu.Lock() // the store's trees are marked as shared
	defer f.mu.Unlock()
	return f.held.image(), nil
}

// save takes a copy of what is shown.
func (f *fsm) save() image {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shown().image()
}

func (h held) image() image { return image{h.registry.Clone(), h.store.Image()} }

type image struct {
	registry *registry.State
	store    *store.Image
}

// Persist writes the copy.
func (i image) Persist(sink raft.SnapshotSink) error {
	if err := i.write(sink); err != nil {
		_ = sink.Cancel()
		return err
	}
	return sink.Close()
}

func (i image) write(w io.Writer) error {
	data, err := i.registry.Snapshot()
	if err != nil {
		return err
	}
	head := binary.BigEndian.AppendUint64([]byte{notRegistry, snapshotLayout}, uint64(len(data)))
	if _, err := w.Write(append(head, data...)); err != nil {
		return err
	}
	return i.store.Write(w)
}

// Release has nothing to let go of.
func (image) Release() {}

// Restore replaces registry and store.
func (f *fsm) Restore(r io.ReadCloser) error {
	defer r.Close()
	reg, st, err := readSnapshot(bufio.NewReader(r))
	f.mu.Lock()
	f.unread = err
	if err == nil {
		f.held = held{reg, st}
		f.show()
	}
	f.mu.Unlock()
	if err != nil {
		return err
	}
	f.identify(reg.ClusterID())
	return nil
}

func readSnapshot(r *bufio.Reader) (*registry.State, *store.State, error) {
	head, err := r.Peek(snapshotHead)
	if len(head) == 0 || head[0] != notRegistry {
		reg, err := readRegistry(r, maxRegistry)
		return reg, store.New(), err
	}
	if err != nil {
		return nil, nil, errors.New("the snapshot is cut off")
	}
	if head[1] != snapshotLayout {
		return nil, nil, fmt.Errorf("the snapshot is of layout %d, this master knows up to %d: upgrade it", head[1], snapshotLayout)
	}
	n := binary.BigEndian.Uint64(head[2:])
	_, _ = r.Discard(snapshotHead) // what was just peeked
	if n > maxRegistry {
		return nil, nil, fmt.Errorf("the snapshot is damaged: its registry has %d bytes", n)
	}
	reg, err := readRegistry(r, int64(n))
	if err != nil {
		return nil, nil, err
	}
	st, err := store.Restore(r)
	return reg, st, err
}

func readRegistry(r io.Reader, most int64) (*registry.State, error) {
	data, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	return registry.Restore(data)
}
