package allocator

import (
	"container/heap"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// filter is a refusal: until its time, whatever is at most these resources is
// not offered to the client on that agent again.
type filter struct {
	agent    *agent
	client   *client
	epoch    uint64 // void when the client's has moved on
	declined measure
	until    time.Time
	dropped  bool
}

func (f *filter) valid() bool {
	return !f.dropped && !f.agent.gone && f.epoch == f.client.epoch
}

// refuse remembers that a client does not want r of an agent for a while.
func (a *Allocator) refuse(g *agent, c *client, r sdk.Resources, now time.Time, d time.Duration) {
	if d <= 0 || len(r) == 0 || !c.wanted || c.framework.gone || plantLoseDeclineFilter {
		return
	}
	f := &filter{agent: g, client: c, epoch: c.epoch, declined: a.measured(measure{}, r), until: now.Add(min(d, MaxRefusal))}
	f.declined.others = slices.Clone(f.declined.others) // filters live long: out of the common piece
	kept := make([]*filter, 0, 1)
	for _, old := range g.filters[c] {
		switch {
		case !old.valid():
		case old.declined.covers(&f.declined) && !old.until.Before(f.until):
			return
		case f.declined.covers(&old.declined) && !f.until.Before(old.until):
			old.dropped = true
			c.filtered--
			a.filters.dead++
		default:
			kept = append(kept, old)
		}
	}
	if g.filters == nil {
		g.filters = map[*client][]*filter{}
	}
	g.filters[c] = append(kept, f)
	c.filtered++
	a.filters.add(f)
}

// forget voids all filters of a client at once, without touching any agent.
func (a *Allocator) forget(c *client) {
	c.epoch++
	a.filters.dead += c.filtered
	c.filtered = 0
}

// forgetAgent voids the filters of an agent that is leaving.
func (a *Allocator) forgetAgent(g *agent) {
	for c, list := range g.filters {
		for _, f := range list {
			if f.valid() {
				c.filtered--
				a.filters.dead++
			}
		}
	}
	g.filters = nil
}

// standing is the filter that keeps r from a client on an agent, or nil.
func (g *agent) standing(c *client, r *measure, now time.Time) *filter {
	if len(g.filters) == 0 {
		return nil
	}
	for _, f := range g.filters[c] {
		if !f.dropped && f.epoch == c.epoch && now.Before(f.until) && f.declined.covers(r) {
			return f
		}
	}
	return nil
}

func (g *agent) dropFilter(f *filter) {
	left := slices.DeleteFunc(g.filters[f.client], func(x *filter) bool { return x == f || !x.valid() })
	if len(left) == 0 {
		delete(g.filters, f.client)
		return
	}
	g.filters[f.client] = left
}

// discarded tells whether the filter is void, and then takes it from its agent.
func (f *filter) discarded() bool {
	if f.valid() {
		return false
	}
	if !f.agent.gone {
		f.agent.dropFilter(f)
	}
	return true
}

// expiries is the filters by their end. Void ones stay until their time, or
// until they are more than half.
type expiries struct {
	heap filterHeap
	dead int
}

func (e *expiries) add(f *filter) {
	if e.dead > 64 && e.dead > len(e.heap)/2 {
		e.heap = slices.DeleteFunc(e.heap, func(f *filter) bool { return f.discarded() })
		heap.Init(&e.heap)
		e.dead = 0
	}
	heap.Push(&e.heap, f)
}

// due takes out the valid filters whose time has come.
func (e *expiries) due(now time.Time) []*filter {
	var out []*filter
	for len(e.heap) > 0 && !e.heap[0].until.After(now) {
		f := heap.Pop(&e.heap).(*filter)
		if f.discarded() {
			e.dead--
		} else {
			out = append(out, f)
		}
	}
	return out
}

func (e *expiries) next() (time.Time, bool) {
	for len(e.heap) > 0 {
		if !e.heap[0].discarded() {
			return e.heap[0].until, true
		}
		heap.Pop(&e.heap)
		e.dead--
	}
	return time.Time{}, false
}

type filterHeap []*filter

func (h filterHeap) Len() int           { return len(h) }
func (h filterHeap) Less(i, j int) bool { return h[i].until.Before(h[j].until) }
func (h filterHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for container/heap.
func (h *filterHeap) Push(x any) { *h = append(*h, x.(*filter)) }

// Pop is for container/heap.
func (h *filterHeap) Pop() any {
	old := *h
	f := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return f
}
