package allocator

import "github.com/profferhq/proffer/sdk"

// measure is resources prepared for being compared a thousand times: whether
// one list contains another is asked for every filter that stands in the way.
type measure struct {
	all     sdk.Resources
	scalars vector
	others  sdk.Resources // entries that are not scalars
	mixed   bool          // some scalars are reserved or otherwise special, so that sums do not tell
}

// measured prepares r, using the memory of old.
func (a *Allocator) measured(old measure, r sdk.Resources) measure {
	m := measure{all: r, scalars: a.names.sum(old.scalars, r)}
	others := 0
	for i := range r {
		switch x := &r[i]; {
		case x.Scalar == nil:
			others++
		case x.IsReserved() || x.Disk != nil || x.Revocable != nil || x.Shared != nil || x.ProviderID != "":
			m.mixed = true
		}
	}
	if others > 0 {
		m.others = a.room(others)[:0]
		for i := range r {
			if r[i].Scalar == nil {
				m.others = append(m.others, r[i])
			}
		}
	}
	return m
}

// covers tells whether m contains o.
func (m *measure) covers(o *measure) bool {
	if !m.scalars.covers(o.scalars) {
		return false
	}
	if m.mixed || o.mixed {
		return m.all.Contains(o.all)
	}
	return len(o.others) == 0 || m.others.Contains(o.others)
}
