package fleet

import (
	"container/heap"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
)

// alarms says when which app is to be looked at because time has passed.
type alarms struct {
	queue alarmQueue
	set   map[app.ID]time.Time // the earliest of each app
}

type alarm struct {
	at time.Time
	id app.ID
}

// wake has an app looked at at that time, if not before.
func (a *alarms) wake(id app.ID, at time.Time) {
	if at.IsZero() {
		return
	}
	if old, ok := a.set[id]; ok && !old.After(at) {
		return
	}
	if a.set == nil {
		a.set = map[app.ID]time.Time{}
	}
	a.set[id] = at
	heap.Push(&a.queue, alarm{at, id})
}

// due takes out the apps whose time has come.
func (a *alarms) due(now time.Time) []app.ID {
	var list []app.ID
	for len(a.queue) > 0 && !a.queue[0].at.After(now) {
		x := heap.Pop(&a.queue).(alarm)
		if a.set[x.id].Equal(x.at) {
			delete(a.set, x.id)
			list = append(list, x.id)
		}
	}
	return list
}

// next is the time of the first; zero: none.
func (a *alarms) next() time.Time {
	for len(a.queue) > 0 {
		x := a.queue[0]
		if at, ok := a.set[x.id]; ok && at.Equal(x.at) {
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
