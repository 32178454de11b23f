package sdk

import (
	"slices"
	"strings"
)

// Canonical is the same items sorted, each once. The result never aliases s.
func (s Set) Canonical() Set {
	items := slices.Clone(s.Item)
	slices.Sort(items)
	return Set{Item: slices.Compact(items)}
}

// Union is every item that is in s or in o.
func (s Set) Union(o Set) Set {
	return Set{Item: slices.Concat(s.Item, o.Item)}.Canonical()
}

// Minus is every item of s that is not in o.
func (s Set) Minus(o Set) Set {
	have, taken := s.Canonical().Item, o.Canonical().Item
	out := have[:0]
	for _, item := range have {
		if _, found := slices.BinarySearch(taken, item); !found {
			out = append(out, item)
		}
	}
	return Set{Item: out}
}

// Contains tells whether every item of o is in s.
func (s Set) Contains(o Set) bool {
	have := s.Canonical().Item
	for _, item := range o.Item {
		if _, found := slices.BinarySearch(have, item); !found {
			return false
		}
	}
	return true
}

// Equal tells whether s and o hold the same items.
func (s Set) Equal(o Set) bool {
	return slices.Equal(s.Canonical().Item, o.Canonical().Item)
}

// String is the set as text, such as "{a,b}".
func (s Set) String() string { return s.text(",") }

func (s Set) text(separator string) string {
	return "{" + strings.Join(s.Item, separator) + "}"
}
