package sdk

import "slices"

// Add is r and o together.
func (r Resources) Add(o Resources) Resources {
	out := make(Resources, 0, len(r)+len(o))
	for i := range r {
		out = out.merge(&r[i])
	}
	for i := range o {
		out = out.merge(&o[i])
	}
	return out
}

// Subtract is what is left of r when o is taken away; what r does not have is
// ignored, so nothing ever becomes negative.
func (r Resources) Subtract(o Resources) Resources {
	out := r.Add(nil)
	for i := range o {
		out = out.take(&o[i])
	}
	return out
}

// Contains tells whether r has at least o, kind by kind.
func (r Resources) Contains(o Resources) bool {
	if len(o) == 0 {
		return true
	}
	have, want := r.canonical(), o.canonical()
	for i := range want {
		if !have.has(&want[i], want) {
			return false
		}
	}
	return true
}

// Equal tells whether r and o are the same amounts, in whatever order or form.
func (r Resources) Equal(o Resources) bool {
	have, want := r.canonical(), o.canonical()
	if len(have) != len(want) {
		return false
	}
	return have.Contains(want) && want.Contains(have)
}

// canonical is Normalize that may alias r; for reading only.
func (r Resources) canonical() Resources {
	for i := range r {
		if r[i].isZero() || !r[i].isPostForm() {
			return r.Normalize()
		}
		for j := range i {
			if sameKind(&r[i], &r[j]) && !r[i].isWhole() {
				return r.Normalize()
			}
		}
		if r[i].Ranges != nil && !r[i].Ranges.isCanonical() {
			return r.Normalize()
		}
	}
	return r
}

// has tells whether r, canonical, covers the entry x of the canonical list want.
// Whole entries are counted: two equal shared volumes need two.
func (r Resources) has(x *Resource, want Resources) bool {
	if x.isWhole() {
		return r.countWhole(x) >= want.countWhole(x)
	}
	i := r.find(x)
	return i >= 0 && r[i].covers(x)
}

func (r Resources) countWhole(x *Resource) int {
	n := 0
	for i := range r {
		if sameKind(&r[i], x) && r[i].sameAmount(x) {
			n++
		}
	}
	return n
}

// merge adds the entry x to r, which is normalized and owned by the caller.
func (r Resources) merge(x *Resource) Resources {
	if x.isZero() {
		return r
	}
	post := x.postForm()
	if !post.isWhole() {
		if i := r.find(&post); i >= 0 {
			r[i].plus(&post)
			return r
		}
	}
	return append(r, post.cloneDeep())
}

// take removes the entry x from r, which is normalized and owned by the caller.
func (r Resources) take(x *Resource) Resources {
	post := x.postForm()
	i := r.find(&post)
	if post.isWhole() {
		i = slices.IndexFunc(r, func(y Resource) bool { return sameKind(&y, &post) && y.sameAmount(&post) })
		if i >= 0 {
			return slices.Delete(r, i, i+1)
		}
		return r
	}
	if i < 0 {
		return r
	}
	r[i].minus(&post)
	if r[i].isZero() {
		return slices.Delete(r, i, i+1)
	}
	return r
}

// find is the index of the entry of x's kind, or -1.
func (r Resources) find(x *Resource) int {
	for i := range r {
		if sameKind(&r[i], x) {
			return i
		}
	}
	return -1
}

func (x *Resource) plus(y *Resource) {
	switch {
	case x.Scalar != nil:
		x.Scalar.Value = FromMillis(addMillis(Millis(x.Scalar.Value), max(0, Millis(y.Scalar.Value))))
	case x.Ranges != nil:
		*x.Ranges = x.Ranges.Union(*y.Ranges)
	case x.Set != nil:
		*x.Set = x.Set.Union(*y.Set)
	}
}

func (x *Resource) minus(y *Resource) {
	switch {
	case x.Scalar != nil:
		x.Scalar.Value = FromMillis(addMillis(Millis(x.Scalar.Value), -max(0, Millis(y.Scalar.Value))))
	case x.Ranges != nil:
		*x.Ranges = x.Ranges.Minus(*y.Ranges)
	case x.Set != nil:
		*x.Set = x.Set.Minus(*y.Set)
	}
}

func (x *Resource) covers(y *Resource) bool {
	switch {
	case x.Scalar != nil:
		return Millis(x.Scalar.Value) >= Millis(y.Scalar.Value)
	case x.Ranges != nil:
		return x.Ranges.Contains(*y.Ranges)
	case x.Set != nil:
		return x.Set.Contains(*y.Set)
	}
	return false
}

func (x *Resource) sameAmount(y *Resource) bool { return x.covers(y) && y.covers(x) }
