package sdk_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
)

// twin is resources the slow way: thousandths in a map, ranges as a bitmap of
// small numbers, sets as maps. Keys are name and role.
type twin struct {
	scalars map[string]*big.Int
	bits    map[string]*[64]bool
	items   map[string]map[string]bool
}

func twinOf(r sdk.Resources) twin {
	t := twin{map[string]*big.Int{}, map[string]*[64]bool{}, map[string]map[string]bool{}}
	for i := range r {
		key := r[i].Name + "@" + r[i].ReservedRole()
		switch {
		case r[i].Scalar != nil:
			if t.scalars[key] == nil {
				t.scalars[key] = new(big.Int)
			}
			t.scalars[key].Add(t.scalars[key], thousandths(r[i].Scalar.Value))
		case r[i].Ranges != nil:
			if t.bits[key] == nil {
				t.bits[key] = &[64]bool{}
			}
			for _, g := range r[i].Ranges.Range {
				for n := g.Begin; n <= g.End; n++ {
					t.bits[key][n] = true
				}
			}
		case r[i].Set != nil:
			if t.items[key] == nil {
				t.items[key] = map[string]bool{}
			}
			for _, item := range r[i].Set.Item {
				t.items[key][item] = true
			}
		}
	}
	return t
}

// thousandths rounds half away from zero, by its decimal text.
func thousandths(v float64) *big.Int {
	text := fmt.Sprintf("%.6f", v)
	whole, frac, _ := strings.Cut(text, ".")
	n, _ := new(big.Int).SetString(whole+frac[:3], 10)
	if frac[3] >= '5' {
		n.Add(n, big.NewInt(1))
	}
	return n
}

// text prints what is there, sorted, so that twins compare.
func (t twin) text() string {
	var lines []string
	for key, n := range t.scalars {
		if n.Sign() > 0 {
			lines = append(lines, fmt.Sprint(key, " scalar ", n))
		}
	}
	for key, bits := range t.bits {
		var on []int
		for n, set := range bits {
			if set {
				on = append(on, n)
			}
		}
		if len(on) > 0 {
			lines = append(lines, fmt.Sprint(key, " ranges ", on))
		}
	}
	for key, items := range t.items {
		for item := range items {
			lines = append(lines, key+" item "+item)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (t twin) minus(o twin) twin {
	for key, n := range o.scalars {
		if mine := t.scalars[key]; mine != nil {
			if mine.Sub(mine, n); mine.Sign() < 0 {
				mine.SetInt64(0)
			}
		}
	}
	for key, bits := range o.bits {
		if mine := t.bits[key]; mine != nil {
			for n, set := range bits {
				mine[n] = mine[n] && !set
			}
		}
	}
	for key, items := range o.items {
		for item := range items {
			delete(t.items[key], item)
		}
	}
	return t
}

func (t twin) contains(o twin) bool {
	for key, n := range o.scalars {
		if mine := t.scalars[key]; n.Sign() > 0 && (mine == nil || mine.Cmp(n) < 0) {
			return false
		}
	}
	for key, bits := range o.bits {
		for n, set := range bits {
			if mine := t.bits[key]; set && (mine == nil || !mine[n]) {
				return false
			}
		}
	}
	for key, items := range o.items {
		for item := range items {
			if !t.items[key][item] {
				return false
			}
		}
	}
	return true
}

// someResources draws lists with repeated kinds, unsorted and overlapping ranges.
func someResources() *rapid.Generator[sdk.Resources] {
	return rapid.Custom(func(t *rapid.T) sdk.Resources {
		var r sdk.Resources
		for range rapid.IntRange(0, 6).Draw(t, "entries") {
			var x sdk.Resource
			switch rapid.IntRange(0, 2).Draw(t, "type") {
			case 0:
				thousandths := rapid.IntRange(0, 5000).Draw(t, "thousandths")
				x = sdk.NewScalar(rapid.SampledFrom([]string{"cpus", "mem"}).Draw(t, "name"), float64(thousandths)/1000)
			case 1:
				var ranges []sdk.Range
				for range rapid.IntRange(0, 4).Draw(t, "ranges") {
					begin := rapid.Uint64Range(0, 63).Draw(t, "begin")
					ranges = append(ranges, sdk.Range{Begin: begin, End: min(63, begin+rapid.Uint64Range(0, 20).Draw(t, "width"))})
				}
				x = sdk.NewRanges(rapid.SampledFrom([]string{"ports", "vlans"}).Draw(t, "name"), ranges...)
			case 2:
				x = sdk.NewSet("rack", rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 4).Draw(t, "items")...)
			}
			x.Role = rapid.SampledFrom([]string{"", "*", "ads"}).Draw(t, "role")
			r = append(r, x)
		}
		return r
	})
}

func TestResourcesAgainstTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := someResources().Draw(t, "a"), someResources().Draw(t, "b")
		before := fmt.Sprintf("%#v %#v", dump(a), dump(b))
		sum, rest := a.Add(b), a.Subtract(b)
		if got, want := twinOf(sum).text(), twinOf(slices.Concat(a, b)).text(); got != want {
			t.Fatalf("%s + %s =\n%s\nwant\n%s", a, b, got, want)
		}
		if got, want := twinOf(rest).text(), twinOf(a).minus(twinOf(b)).text(); got != want {
			t.Fatalf("%s - %s =\n%s\nwant\n%s", a, b, got, want)
		}
		if got, want := a.Contains(b), twinOf(a).contains(twinOf(b)); got != want {
			t.Fatalf("%s contains %s: %t, want %t", a, b, got, want)
		}
		if got, want := a.Equal(b), twinOf(a).text() == twinOf(b).text(); got != want {
			t.Fatalf("%s equals %s: %t, want %t", a, b, got, want)
		}
		if !sum.Contains(a) || !sum.Contains(b) || !a.Contains(rest) || !rest.Add(b).Contains(a) || !a.Subtract(a).Empty() {
			t.Fatalf("laws broken for %s and %s", a, b)
		}
		again, err := sdk.ParseResources(sum.String())
		if err != nil || !again.Equal(sum) {
			t.Fatalf("%q is read back as %q, %v", sum, again, err)
		}
		scribble(sum)
		scribble(rest)
		if after := fmt.Sprintf("%#v %#v", dump(a), dump(b)); after != before {
			t.Fatalf("results share memory with operands:\n%s\n%s", before, after)
		}
	})
}

// dump is everything that r points to.
func dump(r sdk.Resources) []any {
	var all []any
	for _, x := range r {
		all = append(all, x.Name, x.Role)
		if x.Scalar != nil {
			all = append(all, *x.Scalar)
		}
		if x.Ranges != nil {
			all = append(all, slices.Clone(x.Ranges.Range))
		}
		if x.Set != nil {
			all = append(all, slices.Clone(x.Set.Item))
		}
	}
	return all
}

// scribble overwrites everything that r points to.
func scribble(r sdk.Resources) {
	for i := range r {
		if r[i].Scalar != nil {
			r[i].Scalar.Value = -1
		}
		if r[i].Ranges != nil {
			for j := range r[i].Ranges.Range {
				r[i].Ranges.Range[j] = sdk.Range{Begin: 99, End: 1}
			}
		}
		if r[i].Set != nil {
			for j := range r[i].Set.Item {
				r[i].Set.Item[j] = "scribble"
			}
		}
		for j := range r[i].Reservations {
			r[i].Reservations[j].Role = "scribble"
		}
		r[i].Name = "scribble"
	}
}

// TestMillis: rounding is half away from zero at the third decimal.
func TestMillis(t *testing.T) {
	for value, want := range map[float64]int64{
		0.0004: 0, 0.0005: 1, -0.0005: -1, 0.1 + 0.1 + 0.1: 300, 1.2345: 1235, 1e12: 1e15, -3: -3000,
	} {
		if got := sdk.Millis(value); got != want {
			t.Errorf("%g is %d thousandths, want %d", value, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-1e15, 1e15).Draw(t, "n")
		if got := sdk.Millis(sdk.FromMillis(n)); got != n {
			t.Fatalf("%d thousandths come back as %d", n, got)
		}
	})
}
