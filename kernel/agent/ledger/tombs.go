package ledger

import (
	"cmp"
	"slices"

	"github.com/profferhq/proffer/sdk"
)

// tombs holds the ids that are used up, the oldest first out. Up to a million of
// them are kept, so each is small: states and reasons are bytes.
type tombs struct {
	frameworks map[sdk.FrameworkID]map[sdk.TaskID]tomb
	order      []tombAt // oldest first; entries before head are gone
	head       int
	states     []sdk.EnumValue
	reasons    []sdk.EnumValue
}

type tomb struct {
	at            uint32 // seconds since 1970
	state, reason uint8  // index + 1 into states and reasons; 0 for none
}

type tombAt struct {
	key taskKey
	at  uint32
}

func newTombs() tombs {
	return tombs{
		frameworks: map[sdk.FrameworkID]map[sdk.TaskID]tomb{},
		states:     sdk.TaskState("").Enum(),
		reasons:    sdk.Reason("").Enum(),
	}
}

func (s *tombs) len() int { return len(s.order) - s.head }

// add keeps the first end that was told of an id: it is final.
func (s *tombs) add(k taskKey, state sdk.TaskState, reason sdk.Reason, at int64) {
	m := s.frameworks[k.framework]
	if m == nil {
		m = map[sdk.TaskID]tomb{}
		s.frameworks[k.framework] = m
	}
	if _, has := m[k.task]; has {
		return
	}
	m[k.task] = tomb{at: uint32(at), state: index(s.states, string(state)), reason: index(s.reasons, string(reason))}
	s.order = append(s.order, tombAt{k, uint32(at)})
}

func (s *tombs) get(k taskKey) (state sdk.TaskState, reason sdk.Reason, ok bool) {
	t, ok := s.frameworks[k.framework][k.task]
	if !ok {
		return "", "", false
	}
	return sdk.TaskState(name(s.states, t.state)), sdk.Reason(name(s.reasons, t.reason)), true
}

// expire drops what is older than the second before, and what is above most.
func (s *tombs) expire(before int64, most int) {
	for s.head < len(s.order) && (int64(s.order[s.head].at) < before || s.len() > most) {
		k := s.order[s.head].key
		s.order[s.head] = tombAt{}
		s.head++
		m := s.frameworks[k.framework]
		delete(m, k.task)
		if len(m) == 0 {
			delete(s.frameworks, k.framework)
		}
	}
	if s.head > 1024 && s.head*2 > len(s.order) {
		s.order = slices.Clone(s.order[s.head:])
		s.head = 0
	}
}

// sort orders by age what a snapshot has ordered by framework.
func (s *tombs) sort() {
	slices.SortStableFunc(s.order[s.head:], func(a, b tombAt) int { return cmp.Compare(a.at, b.at) })
}

// snapshot is all tombstones in records of at most 500, by framework.
func (s *tombs) snapshot() []Record {
	var ids []sdk.FrameworkID
	for id := range s.frameworks {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	by := make(map[sdk.FrameworkID][]Tombstone, len(ids))
	for _, o := range s.order[s.head:] {
		state, reason, _ := s.get(o.key)
		by[o.key.framework] = append(by[o.key.framework], Tombstone{TaskID: o.key.task, State: state, Reason: reason, At: int64(o.at)})
	}
	var out []Record
	for _, id := range ids {
		for part := range slices.Chunk(by[id], 500) {
			out = append(out, Record{Tombstones: &TombstonesRecord{FrameworkID: id, Tasks: part}})
		}
	}
	return out
}

func index(values []sdk.EnumValue, name string) uint8 {
	for i := range values {
		if values[i].Name == name {
			return uint8(i + 1)
		}
	}
	return 0
}

func name(values []sdk.EnumValue, i uint8) string {
	if i == 0 {
		return ""
	}
	return values[i-1].Name
}
