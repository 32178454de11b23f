package sdk

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Canonical is the same numbers as sorted ranges that neither overlap nor touch.
// Reversed ranges hold nothing. The result never aliases r.
func (r Ranges) Canonical() Ranges {
	out := make([]Range, 0, len(r.Range))
	for _, x := range r.Range {
		if x.Begin <= x.End {
			out = append(out, x)
		}
	}
	if !slices.IsSortedFunc(out, byBegin) {
		slices.SortFunc(out, byBegin)
	}
	n := 0
	for _, x := range out {
		if n > 0 && (out[n-1].End == math.MaxUint64 || x.Begin <= out[n-1].End+1) {
			out[n-1].End = max(out[n-1].End, x.End)
			continue
		}
		out[n] = x
		n++
	}
	return Ranges{Range: out[:n]}
}

func byBegin(a, b Range) int { return cmp.Compare(a.Begin, b.Begin) }

// isCanonical tells whether Canonical would change nothing, without allocating.
func (r Ranges) isCanonical() bool {
	for i, x := range r.Range {
		if x.Begin > x.End {
			return false
		}
		if i > 0 && (r.Range[i-1].End == math.MaxUint64 || x.Begin <= r.Range[i-1].End+1) {
			return false
		}
	}
	return true
}

// canonical is Canonical that may alias r; for reading only.
func (r Ranges) canonical() Ranges {
	if r.isCanonical() {
		return r
	}
	return r.Canonical()
}

// Union is every number that is in r or in o.
func (r Ranges) Union(o Ranges) Ranges {
	return Ranges{Range: slices.Concat(r.Range, o.Range)}.Canonical()
}

// Minus is every number of r that is not in o.
func (r Ranges) Minus(o Ranges) Ranges {
	left, taken := r.canonical().Range, o.canonical().Range
	out := make([]Range, 0, len(left)+1)
	for _, x := range left {
		for len(taken) > 0 && taken[0].End < x.Begin {
			taken = taken[1:]
		}
		rest := true
		for _, t := range taken {
			if t.Begin > x.End {
				break
			}
			if t.Begin > x.Begin {
				out = append(out, Range{Begin: x.Begin, End: t.Begin - 1})
			}
			if t.End >= x.End {
				rest = false
				break
			}
			x.Begin = t.End + 1
		}
		if rest {
			out = append(out, x)
		}
	}
	return Ranges{Range: out}
}

// Contains tells whether every number of o is in r.
func (r Ranges) Contains(o Ranges) bool {
	have := r.canonical().Range
	for _, x := range o.canonical().Range {
		for len(have) > 0 && have[0].End < x.Begin {
			have = have[1:]
		}
		if len(have) == 0 || have[0].Begin > x.Begin || have[0].End < x.End {
			return false
		}
	}
	return true
}

// Has tells whether the number n is in r.
func (r Ranges) Has(n uint64) bool {
	return slices.ContainsFunc(r.Range, func(x Range) bool { return x.Begin <= n && n <= x.End })
}

// Equal tells whether r and o hold the same numbers.
func (r Ranges) Equal(o Ranges) bool {
	return slices.Equal(r.canonical().Range, o.canonical().Range)
}

// Count is how many numbers r holds; it stops at the largest uint64.
func (r Ranges) Count() uint64 {
	var n uint64
	for _, x := range r.canonical().Range {
		width := x.End - x.Begin + 1
		if width == 0 || n+width < n {
			return math.MaxUint64
		}
		n += width
	}
	return n
}

// String is the ranges as text, such as "[31000-31009,31100-31200]".
func (r Ranges) String() string { return r.text(",") }

func (r Ranges) text(separator string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, x := range r.Range {
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteString(strconv.FormatUint(x.Begin, 10))
		b.WriteByte('-')
		b.WriteString(strconv.FormatUint(x.End, 10))
	}
	b.WriteByte(']')
	return b.String()
}
