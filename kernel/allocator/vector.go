package allocator

import (
	"github.com/profferhq/proffer/sdk"
)

// vector is an amount of scalars in thousandths, indexed by names.index. It may
// be shorter than the list of names: what it has no place for is zero.
type vector []int64

// names gives every scalar name a small number, in order of first sight.
type names struct {
	index map[string]int
	list  []string
}

func newNames() *names {
	n := &names{index: map[string]int{}}
	for _, known := range []string{"cpus", "mem", "disk", "gpus"} {
		n.of(known)
	}
	return n
}

func (n *names) of(name string) int {
	if i, ok := n.index[name]; ok {
		return i
	}
	i := len(n.list)
	n.index[name] = i
	n.list = append(n.list, name)
	return i
}

// sum writes the scalars of r into v's memory.
func (n *names) sum(v vector, r sdk.Resources) vector {
	v = v[:0]
	for i := range r {
		if r[i].Scalar != nil {
			at := n.of(r[i].Name)
			v = v.grown(at + 1)
			v[at] += sdk.Millis(r[i].Scalar.Value)
		}
	}
	return v
}

// grown is v with at least so many places; a vector mostly ends with four.
func (v vector) grown(size int) vector {
	if cap(v) < size {
		v = append(make(vector, 0, max(4, size)), v...)
	}
	for len(v) < size {
		v = append(v, 0)
	}
	return v
}

func (v vector) at(i int) int64 {
	if i < len(v) {
		return v[i]
	}
	return 0
}

func (v vector) plus(o vector) vector {
	v = v.grown(len(o))
	for i, q := range o {
		v[i] += q
	}
	return v
}

func (v vector) minus(o vector) vector {
	v = v.grown(len(o))
	for i, q := range o {
		v[i] -= q
	}
	return v
}

// covers tells whether v has at least o of everything.
func (v vector) covers(o vector) bool {
	for i, q := range o {
		if q > v.at(i) {
			return false
		}
	}
	return true
}

func (v vector) equal(o vector) bool { return v.covers(o) && o.covers(v) }

// coversAny tells whether v covers one of the alternatives; none means yes.
func (v vector) coversAny(alternatives []vector) bool {
	for _, alternative := range alternatives {
		if v.covers(alternative) {
			return true
		}
	}
	return len(alternatives) == 0
}
