package placement

import (
	"fmt"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// pick chooses the host ports of one instance, in the order of the definitions: with
// requirePorts those that are named, the others by chance from all that is left, no
// two the same. What is missing is told as text.
func (b *book) pick(a *app.App, dice *dice) (ports []int, missing string) {
	if len(a.PortDefinitions) == 0 {
		return nil, ""
	}
	free := b.freePorts(a)
	ports = make([]int, len(a.PortDefinitions))
	if a.RequirePorts {
		for i, d := range a.PortDefinitions {
			if d.Port == 0 {
				continue
			}
			if !free.Has(uint64(d.Port)) {
				return nil, fmt.Sprintf("port %d is not offered", d.Port)
			}
			ports[i] = d.Port
			free = free.Minus(single(d.Port))
		}
	}
	left := int(min(free.Count(), 1<<16))
	var chosen []int
	for i := range ports {
		if ports[i] != 0 {
			continue
		}
		if left == 0 {
			return nil, fmt.Sprintf("%d ports are offered and %d wanted", b.freePorts(a).Count(), len(ports))
		}
		ports[i] = nth(free, dice.below(left), chosen)
		chosen = insert(chosen, ports[i])
		left--
	}
	return ports, ""
}

// nth is the n-th number of the ranges, those of chosen (sorted) left out.
func nth(free sdk.Ranges, n int, chosen []int) int {
	at := func(n int) int {
		for _, r := range free.Range {
			if width := int(r.End - r.Begin + 1); n < width {
				return int(r.Begin) + n
			} else {
				n -= width
			}
		}
		return 0
	}
	p := at(n)
	for _, c := range chosen {
		if c <= p {
			n++
			p = at(n)
		}
	}
	return p
}

func insert(sorted []int, p int) []int {
	i := 0
	for i < len(sorted) && sorted[i] < p {
		i++
	}
	sorted = append(sorted, 0)
	copy(sorted[i+1:], sorted[i:])
	sorted[i] = p
	return sorted
}

// freePorts are the ports that the app may have.
func (b *book) freePorts(a *app.App) sdk.Ranges {
	var only *sdk.Ranges
	n := 0
	for i := range b.ports {
		if accepts(a, &b.ports[i]) {
			only = &b.ports[i].ranges
			n++
		}
	}
	if n == 0 {
		return sdk.Ranges{}
	}
	if n == 1 {
		return *only
	}
	var all sdk.Ranges
	for i := range b.ports {
		if accepts(a, &b.ports[i]) {
			all.Range = append(all.Range, b.ports[i].ranges.Range...)
		}
	}
	return all.Canonical()
}

// takePorts books the ports, from the entries that have them.
func (b *book) takePorts(a *app.App, ports []int) []sdk.Resource {
	var taken []sdk.Resource
	for i := range b.ports {
		x := &b.ports[i]
		if !accepts(a, x) {
			continue
		}
		var mine sdk.Ranges
		for _, p := range ports {
			if x.ranges.Has(uint64(p)) {
				mine.Range = append(mine.Range, single(p).Range...)
			}
		}
		if len(mine.Range) == 0 {
			continue
		}
		mine = mine.Canonical()
		x.ranges = x.ranges.Minus(mine)
		entry := *x.entry
		entry.Ranges = &mine
		taken = append(taken, entry)
	}
	return taken
}

func single(port int) sdk.Ranges {
	return sdk.Ranges{Range: []sdk.Range{{Begin: uint64(port), End: uint64(port)}}}
}
