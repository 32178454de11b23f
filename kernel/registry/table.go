package registry

import (
	"slices"
	"strings"
)

// table is a sorted map of which nothing is ever changed in place: put and remove give
// another one, which shares all but a path with the old. So a copy costs nothing, whatever
// is in it, and a snapshot is written while the next command is applied. The zero value is
// empty.
//
// It has two levels: 20,000 agents are 600 leaves of a few dozen, and a change copies one
// leaf and the list of leaves, some kilobytes.
type table[K ~string, V any] struct {
	leaves [][]entry[K, V] // none empty; keys ascend within and between them
	n      int
}

type entry[K ~string, V any] struct {
	key   K
	value *V
}

// maxLeaf is the most entries of a leaf; a fuller one is split.
const maxLeaf = 64

func (t table[K, V]) len() int { return t.n }

// find is the leaf that has the key or would have it, and the place in it.
func (t table[K, V]) find(key K) (leaf, at int, found bool) {
	// The last leaf that does not begin behind the key.
	leaf, exact := slices.BinarySearchFunc(t.leaves, key, func(l []entry[K, V], k K) int { return strings.Compare(string(l[0].key), string(k)) })
	if !exact && leaf > 0 {
		leaf--
	}
	if leaf == len(t.leaves) {
		return leaf, 0, false
	}
	at, found = slices.BinarySearchFunc(t.leaves[leaf], key, func(e entry[K, V], k K) int { return strings.Compare(string(e.key), string(k)) })
	return leaf, at, found
}

func (t table[K, V]) get(key K) (v V, ok bool) {
	leaf, at, found := t.find(key)
	if !found {
		return v, false
	}
	return *t.leaves[leaf][at].value, true
}

func (t table[K, V]) has(key K) bool {
	_, _, found := t.find(key)
	return found
}

// put is the table with the value.
func (t table[K, V]) put(key K, value V) table[K, V] {
	e := entry[K, V]{key, &value}
	leaf, at, found := t.find(key)
	leaves := slices.Clone(t.leaves)
	switch {
	case leaf == len(leaves):
		leaves = append(leaves, []entry[K, V]{e})
	case found:
		leaves[leaf] = slices.Clone(leaves[leaf])
		leaves[leaf][at] = e
	default:
		// The clip has Insert copy: the old leaf stays as it is.
		full := slices.Insert(slices.Clip(leaves[leaf]), at, e)
		leaves[leaf] = full
		if len(full) > maxLeaf {
			half := len(full) / 2
			leaves[leaf] = slices.Clip(full[:half])
			leaves = slices.Insert(leaves, leaf+1, full[half:])
		}
	}
	n := t.n
	if !found {
		n++
	}
	return table[K, V]{leaves, n}
}

// remove is the table without the key.
func (t table[K, V]) remove(key K) table[K, V] {
	leaf, at, found := t.find(key)
	if !found {
		return t
	}
	leaves := slices.Clone(t.leaves)
	if len(leaves[leaf]) == 1 {
		leaves = slices.Delete(leaves, leaf, leaf+1)
	} else {
		leaves[leaf] = slices.Delete(slices.Clone(leaves[leaf]), at, at+1)
	}
	return table[K, V]{leaves, t.n - 1}
}

// values are all values in the order of their keys.
func (t table[K, V]) values() []V {
	out := make([]V, 0, t.n)
	for _, leaf := range t.leaves {
		for i := range leaf {
			out = append(out, *leaf[i].value)
		}
	}
	return out
}
