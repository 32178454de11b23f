package book

import (
	"container/heap"
	"time"
)

// alarms says when which job is to be looked at because time has passed.
type alarms struct {
	queue alarmQueue
	set   map[string]time.Time // the earliest of each job
}

type alarm struct {
	at   time.Time
	name string
}

// wake has a job looked at at that time, if not before.
func (a *alarms) wake(name string, at time.Time) {
	if at.IsZero() {
		return
	}
	if old, ok := a.set[name]; ok && !old.After(at) {
		return
	}
	if a.set == nil {
		a.set = map[string]time.Time{}
	}
	a.set[name] = at
	heap.Push(&a.queue, alarm{at, name})
}

// due takes out the jobs whose time has come.
func (a *alarms) due(now time.Time) []string {
	var list []string
	for len(a.queue) > 0 && !a.queue[0].at.After(now) {
		x := heap.Pop(&a.queue).(alarm)
		if a.set[x.name].Equal(x.at) {
			delete(a.set, x.name)
			list = append(list, x.name)
		}
	}
	return list
}

// next is the time of the first; zero: none.
func (a *alarms) next() time.Time {
	for len(a.queue) > 0 {
		x := a.queue[0]
		if at, ok := a.set[x.name]; ok && at.Equal(x.at) {
			return x.at
		}
		heap.Pop(&a.queue) // an earlier one took its place
	}
	return time.Time{}
}

type alarmQueue []alarm

func (q alarmQueue) Len() int           { return len(q) }
func (q alarmQueue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q alarmQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push is for container/heap.
func (q *alarmQueue) Push(x any) { *q = append(*q, x.(alarm)) }

// Pop is for container/heap.
func (q *alarmQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
