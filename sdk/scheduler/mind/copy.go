package mind

import (
	"maps"
	"slices"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// Copy is a copy of a space that follows it change by change, so that a scheduler that
// waits to lead has everything when it does. It has revisions as a whole or not at all.
// The zero value has nothing.
type Copy struct {
	kvs     map[string]sdk.StoreKV
	at      uint64
	partial []sdk.StoreChange // of a revision of which not all has come
}

// Reset begins anew with what the space had at a revision.
func (c *Copy) Reset(kvs []sdk.StoreKV, at uint64) {
	c.kvs, c.at, c.partial = make(map[string]sdk.StoreKV, len(kvs)), at, nil
	for _, kv := range kvs {
		c.kvs[kv.Key] = kv
	}
}

// Apply takes the next change; more says that others of the same revision follow. It
// tells whether the copy has that revision now.
func (c *Copy) Apply(revision uint64, change sdk.StoreChange, more bool) bool {
	if c.partial = append(c.partial, change); more {
		return false
	}
	for _, x := range c.partial {
		if x.Deleted {
			delete(c.kvs, x.KV.Key)
		} else {
			c.kvs[x.KV.Key] = x.KV
		}
	}
	c.at, c.partial = revision, nil
	return true
}

// At is the revision up to which the copy has everything; 0: it has nothing.
func (c *Copy) At() uint64 { return c.at }

// Upto is the whole space, sorted by key; false where the copy has not everything up to
// that revision.
func (c *Copy) Upto(revision uint64) ([]sdk.StoreKV, bool) {
	if c.at == 0 || c.at < revision && !plantStaleCopy {
		return nil, false
	}
	return slices.SortedFunc(maps.Values(c.kvs), func(x, y sdk.StoreKV) int { return strings.Compare(x.Key, y.Key) }), true
}
