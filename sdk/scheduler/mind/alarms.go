package mind

import (
	"container/heap"
	"time"
)

// Alarms say what is to be looked at because time has passed. The zero value has none.
type Alarms[K comparable] struct {
	queue alarmQueue[K]
	set   map[K]time.Time // the earliest of each
}

type alarm[K comparable] struct {
	at  time.Time
	key K
}

// Wake has key looked at at that time, if not before; zero: never.
func (a *Alarms[K]) Wake(key K, at time.Time) {
	if at.IsZero() {
		return
	}
	if old, ok := a.set[key]; ok && !old.After(at) {
		return
	}
	if a.set == nil {
		a.set = map[K]time.Time{}
	}
	a.set[key] = at
	heap.Push(&a.queue, alarm[K]{at, key})
}

// Due takes out those whose time has come, the earliest first.
func (a *Alarms[K]) Due(now time.Time) []K {
	var list []K
	for len(a.queue) > 0 && !a.queue[0].at.After(now) {
		x := heap.Pop(&a.queue).(alarm[K])
		if a.set[x.key].Equal(x.at) {
			delete(a.set, x.key)
			list = append(list, x.key)
		}
	}
	return list
}

// Next is the time of the first; zero: none.
func (a *Alarms[K]) Next() time.Time {
	for len(a.queue) > 0 {
		x := a.queue[0]
		if at, ok := a.set[x.key]; ok && at.Equal(x.at) {
			return x.at
		}
		heap.Pop(&a.queue) // an earlier one took its place
	}
	return time.Time{}
}

type alarmQueue[K comparable] []alarm[K]

func (q alarmQueue[K]) Len() int           { return len(q) }
func (q alarmQueue[K]) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q alarmQueue[K]) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push is for container/heap.
func (q *alarmQueue[K]) Push(x any) { *q = append(*q, x.(alarm[K])) }

// Pop is for container/heap.
func (q *alarmQueue[K]) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
