package cluster

import (
	"container/heap"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// alarm is one moment at which something has to be looked at. Alarms are never
// taken back: whoever is woken looks whether the moment has really come, and
// sets another alarm when it has not.
type alarm struct {
	at        time.Time
	seq       uint64 // breaks ties, so that equal moments come in the order they were set
	kind      alarmKind
	agent     sdk.AgentID
	framework sdk.FrameworkID
	session   Session
}

type alarmKind uint8

const (
	alarmAgentSilent     alarmKind = iota // has the agent been silent for too long?
	alarmAgentHeartbeat                   // is a HEARTBEAT due to the agent?
	alarmFrameworkGone                    // is the framework away for too long?
	alarmSchedulerStream                  // a HEARTBEAT is due to the scheduler
	alarmFrameworkNear                    // is the framework to be removed soon?
	alarmFrameworkKept                    // how long it may still be away is to be written down
	alarmOffers                           // offers begin now at the latest; the tick sees to it
	alarmTrim                             // are there agents to be forgotten?
)

type alarms struct {
	heap alarmHeap
	seq  uint64
}

func (a *alarms) set(x alarm) {
	a.seq++
	x.seq = a.seq
	heap.Push(&a.heap, x)
}

// pop is the next alarm that has come at now.
func (a *alarms) pop(now time.Time) (alarm, bool) {
	if len(a.heap) == 0 || a.heap[0].at.After(now) {
		return alarm{}, false
	}
	return heap.Pop(&a.heap).(alarm), true
}

func (a *alarms) next() (time.Time, bool) {
	if len(a.heap) == 0 {
		return time.Time{}, false
	}
	return a.heap[0].at, true
}

type alarmHeap []alarm

func (h alarmHeap) Len() int { return len(h) }
func (h alarmHeap) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].seq < h[j].seq
}
func (h alarmHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *alarmHeap) Push(x any)   { *h = append(*h, x.(alarm)) }
func (h *alarmHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
