package store

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/btree"

	"github.com/profferhq/proffer/sdk"
)

// State is all spaces after the commands up to Index.
type State struct {
	index  uint64
	floor  uint64 // no history reaches back behind it: this State was restored there
	spaces map[Space]*space
}

// space is one key-value space.
type space struct {
	id        Space
	keys      *btree.BTreeG[*sdk.StoreKV] // nothing in it is changed in place
	size      uint64                      // bytes, as limits count them
	leases    map[string]*lease
	history   []Changes // oldest first
	changes   int       // of keys, in history
	bytes     uint64    // of history
	compacted uint64    // newest revision that the history has forgotten
}

// Lease is what is known of a lease that has not ended.
type Lease struct {
	ID          string
	Space       Space
	TTL         time.Duration
	FrameworkID sdk.FrameworkID // of the task that it ends with; empty for none
	TaskID      sdk.TaskID
	AgentID     sdk.AgentID // where that task is; empty when it is not known
}

type lease struct {
	Lease
	keys map[string]struct{}
}

// degree of the trees: nodes of up to 63 pointers.
const degree = 32

func byKey(a, b *sdk.StoreKV) bool { return a.Key < b.Key }

// New is a store without spaces.
func New() *State { return &State{spaces: map[Space]*space{}} }

func newSpace(id Space) *space {
	return &space{id: id, keys: btree.NewG(degree, byKey), leases: map[string]*lease{}}
}

// Index is the revision of the last command applied.
func (s *State) Index() uint64 { return s.index }

// Get is one key.
func (s *State) Get(id Space, key string) (sdk.StoreKV, bool) {
	sp := s.spaces[id]
	if sp == nil {
		return sdk.StoreKV{}, false
	}
	if kv := sp.get(key); kv != nil {
		return *kv, true
	}
	return sdk.StoreKV{}, false
}

func (sp *space) get(key string) *sdk.StoreKV {
	kv, _ := sp.keys.Get(&sdk.StoreKV{Key: key})
	return kv
}

// Has tells whether a space was ever written to.
func (s *State) Has(id Space) bool { return s.spaces[id] != nil }

// List are the keys that begin with prefix, in the order of their bytes.
func (s *State) List(id Space, prefix string) []sdk.StoreKV {
	var out []sdk.StoreKV
	if sp := s.spaces[id]; sp != nil {
		sp.ascend(prefix, func(kv *sdk.StoreKV) { out = append(out, *kv) })
	}
	return out
}

func (sp *space) ascend(prefix string, f func(*sdk.StoreKV)) {
	sp.keys.AscendGreaterOrEqual(&sdk.StoreKV{Key: prefix}, func(kv *sdk.StoreKV) bool {
		if !strings.HasPrefix(kv.Key, prefix) {
			return false
		}
		f(kv)
		return true
	})
}

// Since are the changes of keys that begin with prefix, after that revision, by
// revisions. It is refused (CodeGone) when the history does not reach back to
// there, or the revision lies in the future of this store.
func (s *State) Since(id Space, prefix string, after uint64) ([]Changes, *sdk.Error) {
	if after > s.index {
		return nil, sdk.Errorf(sdk.CodeGone, "watch.after", "compacted: revision %d is not in this store, which is at %d; list again", after, s.index)
	}
	if after < s.floor {
		return nil, sdk.Errorf(sdk.CodeGone, "watch.after", "compacted: this store was restored from a snapshot at revision %d, and %d is from before; list again", s.floor, after)
	}
	sp := s.spaces[id]
	if sp == nil {
		return nil, nil
	}
	if after < sp.compacted {
		return nil, sdk.Errorf(sdk.CodeGone, "watch.after", "compacted: the history reaches back to revision %d, not to %d; list again", sp.compacted, after)
	}
	first, _ := slices.BinarySearchFunc(sp.history, after+1, func(c Changes, revision uint64) int { return cmp.Compare(c.Revision, revision) })
	var out []Changes
	for _, c := range sp.history[first:] {
		if c = c.Below(prefix); len(c.List) > 0 {
			out = append(out, c)
		}
	}
	return out, nil
}

// Below are those changes that concern keys with the prefix.
func (c Changes) Below(prefix string) Changes {
	all := true
	for i := range c.List {
		all = all && strings.HasPrefix(c.List[i].KV.Key, prefix)
	}
	if all {
		return c
	}
	list := c.List
	c.List = nil
	for i := range list {
		if strings.HasPrefix(list[i].KV.Key, prefix) {
			c.List = append(c.List, list[i])
		}
	}
	return c
}

// Leases are all leases, by space and id.
func (s *State) Leases() []Lease {
	var out []Lease
	for _, sp := range s.sorted() {
		for _, l := range sp.sortedLeases() {
			out = append(out, l.Lease)
		}
	}
	return out
}

func (s *State) sorted() []*space {
	return slices.SortedFunc(maps.Values(s.spaces), func(a, b *space) int { return compareSpaces(a.id, b.id) })
}

func compareSpaces(a, b Space) int {
	return cmp.Or(strings.Compare(a.Principal, b.Principal), strings.Compare(a.Name, b.Name))
}

func compareLeases(a, b Lease) int {
	return cmp.Or(compareSpaces(a.Space, b.Space), strings.Compare(a.ID, b.ID))
}

func (sp *space) sortedLeases() []*lease {
	return slices.SortedFunc(maps.Values(sp.leases), func(a, b *lease) int { return strings.Compare(a.ID, b.ID) })
}

// Stats are sums over all spaces.
type Stats struct {
	Spaces, Keys, Leases, Bytes uint64
	Fullest                     uint64 // bytes of the largest space
}

// Stats counts what there is.
func (s *State) Stats() Stats {
	var t Stats
	for _, sp := range s.spaces {
		t.Spaces++
		t.Keys += uint64(sp.keys.Len())
		t.Leases += uint64(len(sp.leases))
		t.Bytes += sp.size
		t.Fullest = max(t.Fullest, sp.size)
	}
	return t
}
