package store

import (
	"maps"
	"slices"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// stage is what a transaction is about to make of a space, so that a refusal in
// its middle changes nothing.
type stage struct {
	sp    *space
	index uint64
	size  uint64
	keys  map[string]*sdk.StoreKV // nil for one that goes
	order []string                // of the first change of each key
}

func newStage(sp *space, index uint64) *stage {
	return &stage{sp: sp, index: index, size: sp.size, keys: map[string]*sdk.StoreKV{}}
}

func (s *stage) get(key string) *sdk.StoreKV {
	if kv, staged := s.keys[key]; staged {
		return kv
	}
	return s.sp.get(key)
}

func (s *stage) do(op *sdk.StoreOp) *sdk.Error {
	switch op.Type {
	case sdk.StorePut:
		return s.put(op)
	case sdk.StoreDelete:
		s.set(op.Key, nil)
	case sdk.StoreDeletePrefix:
		for _, key := range slices.Clone(s.order) {
			if strings.HasPrefix(key, op.Key) {
				s.set(key, nil)
			}
		}
		s.sp.ascend(op.Key, func(kv *sdk.StoreKV) { s.set(kv.Key, nil) })
	}
	return nil
}

func (s *stage) put(op *sdk.StoreOp) *sdk.Error {
	if op.Lease != "" && s.sp.leases[op.Lease] == nil {
		return noLease("lease", op.Lease)
	}
	kv := &sdk.StoreKV{Key: op.Key, Value: op.Value, Created: s.index, Modified: s.index, Version: 1, Lease: op.Lease}
	if old := s.get(op.Key); old != nil {
		kv.Created, kv.Version = old.Created, old.Version+1
	}
	s.set(op.Key, kv)
	return nil
}

func (s *stage) set(key string, kv *sdk.StoreKV) {
	s.size += weight(kv) - weight(s.get(key)) // wraps, and back
	if _, staged := s.keys[key]; !staged {
		s.order = append(s.order, key)
	}
	s.keys[key] = kv
}

// weight is how many bytes of a space a key counts.
func weight(kv *sdk.StoreKV) uint64 {
	if kv == nil {
		return 0
	}
	return uint64(len(kv.Key) + len(kv.Value) + KeyOverhead)
}

// finish makes the stage the space's content.
func (s *stage) finish() Changes {
	c := Changes{Space: s.sp.id, Revision: s.index}
	for _, key := range s.order {
		before, after := s.sp.get(key), s.keys[key]
		if before != nil {
			s.sp.detach(before)
		}
		switch {
		case after != nil:
			s.sp.keys.ReplaceOrInsert(after)
			s.sp.attach(after)
			c.List = append(c.List, sdk.StoreChange{KV: *after})
		case before != nil:
			s.sp.keys.Delete(before)
			c.List = append(c.List, sdk.StoreChange{Deleted: true, KV: sdk.StoreKV{Key: key, Modified: s.index}})
		}
	}
	s.sp.size = s.size
	s.sp.remember(c)
	return c
}

func (sp *space) attach(kv *sdk.StoreKV) {
	if kv.Lease != "" {
		sp.leases[kv.Lease].keys[kv.Key] = struct{}{}
	}
}

func (sp *space) detach(kv *sdk.StoreKV) {
	if kv.Lease != "" {
		delete(sp.leases[kv.Lease].keys, kv.Key)
	}
}

// remember adds to the history and forgets what is too old for its bounds.
func (sp *space) remember(c Changes) {
	if len(c.List) == 0 {
		return
	}
	sp.history = append(sp.history, c)
	sp.changes += len(c.List)
	sp.bytes += c.weight()
	for len(sp.history) > 0 && (sp.changes > maxHistory || sp.bytes > maxHistoryBytes) {
		oldest := sp.history[0]
		sp.changes -= len(oldest.List)
		sp.bytes -= oldest.weight()
		sp.compacted = oldest.Revision
		sp.history = sp.history[1:] // an Image may read the array: it is left as it is
	}
}

func (c Changes) weight() (n uint64) {
	for i := range c.List {
		n += weight(&c.List[i].KV)
	}
	return n
}

func sortedKeys(m map[string]struct{}) []string { return slices.Sorted(maps.Keys(m)) }
