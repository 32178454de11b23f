package sdk

import (
	"slices"
)

// Resources is an amount of resources of any names and types. It is a plain
// list, so that messages can hold it as it is; its methods treat entries that
// differ only in amount as one. Arithmetic returns new values that share no
// memory with their operands, in post-reservation-refinement form (Mesos's
// RESERVATION_REFINEMENT), without zero entries, in order of first appearance.
//
// Scalars are computed in thousandths. Operands are believed to be valid: what
// comes from outside goes through Validate first.
type Resources []Resource

// Names lists the names in r, sorted, each once.
func (r Resources) Names() []string {
	names := make([]string, 0, len(r))
	for i := range r {
		names = append(names, r[i].Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Scalar is the sum of the scalars of that name, whatever their roles.
func (r Resources) Scalar(name string) float64 { return FromMillis(r.Millis(name)) }

// Millis is the sum of the scalars of that name in thousandths.
func (r Resources) Millis(name string) int64 {
	var sum int64
	for i := range r {
		if r[i].Name == name && r[i].Scalar != nil {
			sum = addMillis(sum, Millis(r[i].Scalar.Value))
		}
	}
	return sum
}

// Ranges is the union of the ranges of that name, canonical.
func (r Resources) Ranges(name string) Ranges {
	var all Ranges
	for i := range r {
		if r[i].Name == name && r[i].Ranges != nil {
			all.Range = append(all.Range, r[i].Ranges.Range...)
		}
	}
	return all.Canonical()
}

// Set is the union of the sets of that name, sorted.
func (r Resources) Set(name string) []string {
	var all Set
	for i := range r {
		if r[i].Name == name && r[i].Set != nil {
			all.Item = append(all.Item, r[i].Set.Item...)
		}
	}
	return all.Canonical().Item
}

// Empty tells whether r amounts to nothing: no entries, or only zero ones.
func (r Resources) Empty() bool {
	for i := range r {
		if !r[i].isZero() {
			return false
		}
	}
	return true
}

// Normalize is r in the form that arithmetic returns: post form, equal kinds
// merged, zero entries dropped.
func (r Resources) Normalize() Resources { return r.Add(nil) }

// Filter is the entries of r that keep accepts, normalized.
func (r Resources) Filter(keep func(*Resource) bool) Resources {
	out := make(Resources, 0, len(r))
	for i := range r {
		if keep(&r[i]) {
			out = out.merge(&r[i])
		}
	}
	return out
}

// Named is the entries of that name, normalized.
func (r Resources) Named(name string) Resources {
	return r.Filter(func(x *Resource) bool { return x.Name == name })
}

// NewScalar is a scalar resource that is reserved to nobody.
func NewScalar(name string, value float64) Resource {
	return Resource{Name: name, Type: ValueScalar, Scalar: &Scalar{Value: value}}
}

// NewRanges is a ranges resource that is reserved to nobody.
func NewRanges(name string, ranges ...Range) Resource {
	return Resource{Name: name, Type: ValueRanges, Ranges: &Ranges{Range: slices.Clone(ranges)}}
}

// NewSet is a set resource that is reserved to nobody.
func NewSet(name string, items ...string) Resource {
	return Resource{Name: name, Type: ValueSet, Set: &Set{Item: slices.Clone(items)}}
}

// isZero tells whether the entry amounts to nothing.
func (x *Resource) isZero() bool {
	switch {
	case x.Scalar != nil:
		return Millis(x.Scalar.Value) <= 0
	case x.Ranges != nil:
		return !slices.ContainsFunc(x.Ranges.Range, func(g Range) bool { return g.Begin <= g.End })
	case x.Set != nil:
		return len(x.Set.Item) == 0
	}
	return true
}
