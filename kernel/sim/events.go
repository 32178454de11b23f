package sim

import (
	"container/heap"
	"time"
)

// event is something that will happen.
type event struct {
	at   time.Time
	seq  uint64 // equal moments keep the order in which they were planned
	what string
	do   func()
}

type events struct {
	heap eventHeap
	seq  uint64
}

func (q *events) add(at time.Time, what string, do func()) {
	q.seq++
	heap.Push(&q.heap, &event{at, q.seq, what, do})
}

// pop is the next event that is not after end.
func (q *events) pop(end time.Time) (*event, bool) {
	if len(q.heap) == 0 || q.heap[0].at.After(end) {
		return nil, false
	}
	return heap.Pop(&q.heap).(*event), true
}

type eventHeap []*event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	if c := h[i].at.Compare(h[j].at); c != 0 {
		return c < 0
	}
	return h[i].seq < h[j].seq
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(*event)) }
func (h *eventHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return x
}
