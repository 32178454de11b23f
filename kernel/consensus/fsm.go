package consensus

import (
	"fmt"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
)

// fsm is the one state machine: committed entries are the registry's or the
// store's. raft calls Apply, Snapshot and Restore from one goroutine; the lock is
// for those that look at what is shown.
type fsm struct {
	mu sync.RWMutex
	held
	past     *held // shown until a new instance of raft has come as far; nil: what is held is shown
	observe  func(*store.Command, store.Result)
	fatal    func(error)
	identify func(id string) // told the cluster's id when it becomes known
	unread   error           // why the last snapshot could not be read
}

// held is what commands were applied to.
type held struct {
	registry *registry.State
	store    *store.State
}

func nothing() held { return held{registry.New(), store.New()} }

// index is that of the last command.
func (h held) index() uint64 { return max(h.registry.Index(), h.store.Index()) }

// Entries of the store begin with two bytes that begin no registry command, which
// is a map in msgpack; a master from before the store refuses them.
const (
	notRegistry = 0xc1 // never used by msgpack
	storeEntry  = 'S'
)

func storeHead() []byte { return []byte{notRegistry, storeEntry} }

func newFSM(o Options) *fsm {
	f := &fsm{observe: o.Observe, fatal: o.Fatal, identify: func(string) {}, held: nothing()}
	if f.observe == nil {
		f.observe = func(*store.Command, store.Result) {}
	}
	return f
}

// Apply carries one entry out.
func (f *fsm) Apply(l *raft.Log) any {
	if l.Type != raft.LogCommand {
		return nil
	}
	result, err := f.apply(l.Index, l.Data)
	if err != nil {
		// Going on without this entry would make this master's state differ from the others'.
		f.fatal(fmt.Errorf("entry %d of the replicated log can not be applied: %w", l.Index, err))
		return nil
	}
	return result
}

func (f *fsm) apply(index uint64, data []byte) (any, error) {
	if len(data) > 2 && data[0] == notRegistry {
		if data[1] != storeEntry {
			return nil, fmt.Errorf("it is of the kind %d, which this master does not know: upgrade it", data[1])
		}
		cmd, err := store.DecodeCommand(data[2:])
		if err != nil {
			return nil, err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		r := f.store.Apply(index, cmd)
		if f.past == nil {
			f.observe(&cmd, r)
		}
		f.show()
		return r, nil
	}
	cmd, err := registry.DecodeCommand(data)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	before := f.registry.ClusterID()
	r := f.registry.Apply(index, cmd)
	id := f.registry.ClusterID()
	f.show()
	f.mu.Unlock()
	if id != before {
		f.identify(id)
	}
	return r, nil
}

// reset has the next instance of raft replay everything from the disk. Who looks meanwhile
// sees what there was: a read that a majority has let through finds nothing older.
func (f *fsm) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.past == nil { // else the last one had not come as far
		past := f.held
		f.past = &past
	}
	f.held, f.unread = nothing(), nil
	f.show()
}

// show ends with the past what is no older. Callers hold the mutex.
func (f *fsm) show() {
	if f.past != nil && f.index() >= f.past.index() {
		f.past = nil
	}
}

// shown is what there is to look at. Callers hold the mutex.
func (f *fsm) shown() held {
	if f.past != nil {
		return *f.past
	}
	return f.held
}

// view lets look at it.
func (f *fsm) view(look func(held)) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	look(f.shown())
}
