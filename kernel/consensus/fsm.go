package consensus

import (
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/registry"
)

// fsm applies committed entries to the registry. raft calls Apply, Snapshot and
// Restore from one goroutine; the lock is for View.
type fsm struct {
	mu    sync.RWMutex
	state *registry.State
	fatal func(error)
}

// Apply carries one entry out.
func (f *fsm) Apply(l *raft.Log) any {
	if l.Type != raft.LogCommand {
		return nil
	}
	cmd, err := registry.DecodeCommand(l.Data)
	if err != nil {
		// Going on without this entry would make this master's registry differ from the others'.
		f.fatal(fmt.Errorf("entry %d of the replicated log can not be applied: %w", l.Index, err))
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.Apply(l.Index, cmd)
}

// Snapshot takes a copy; encoding and writing happen beside the next Apply.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return image{f.state.Clone()}, nil
}

// maxSnapshot bounds what Restore reads, in bytes.
const maxSnapshot = 1 << 30

// Restore replaces the registry.
func (f *fsm) Restore(r io.ReadCloser) error {
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxSnapshot))
	if err != nil {
		return fmt.Errorf("read snapshot: %w", err)
	}
	s, err := registry.Restore(data)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = s
	return nil
}

type image struct{ state *registry.State }

// Persist writes the copy.
func (i image) Persist(sink raft.SnapshotSink) error {
	data, err := i.state.Snapshot()
	if err == nil {
		_, err = sink.Write(data)
	}
	if err != nil {
		_ = sink.Cancel()
		return err
	}
	return sink.Close()
}

// Release has nothing to let go of.
func (image) Release() {}

// reset forgets everything; the next instance of raft replays it from disk.
func (f *fsm) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = registry.New()
}
