package framework

import (
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// An ACCEPT promises nothing durable: the leader that took it may die before the
// agent has it. So each launch is in doubt until a status names it, and what was
// launched under an earlier subscription, or in a request that failed, is asked
// for by name. An implicit reconciliation would not tell of a task that the
// kernel has never seen.

// launched is what must be asked about a launch until a status tells of it.
type launched struct {
	agent sdk.AgentID
	ask   bool      // a subscription ended since, or the request failed
	asked time.Time // when it was last asked for
}

// noteLaunches begins the doubt about the tasks of an ACCEPT. f.mu is held.
func (f *Framework) noteLaunches(operations []sdk.Operation) {
	eachTask(operations, func(task *sdk.TaskInfo) {
		f.doubt[task.TaskID] = &launched{agent: task.AgentID}
	})
}

// suspect marks the launches of calls that failed.
func (f *Framework) suspect(calls []sdk.Call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, call := range calls {
		if call.Accept == nil {
			continue
		}
		eachTask(call.Accept.Operations, func(task *sdk.TaskInfo) {
			if l := f.doubt[task.TaskID]; l != nil {
				l.ask = true
			}
		})
	}
}

// confirm ends the doubt about a task.
func (f *Framework) confirm(task sdk.TaskID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.doubt, task)
}

// reconcileAll asks, at the start of a subscription, for all that the kernel
// knows, and by name for the launches in doubt, which it may not know.
func (f *Framework) reconcileAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.doubt {
		l.ask = true
	}
	_ = f.push(sdk.Call{Type: sdk.CallReconcile, Reconcile: &sdk.Reconcile{}})
	f.pushSuspects(0)
}

// reconcileSuspects asks at a heartbeat for the suspect launches that nothing has
// answered for an interval: a new leader is silent about agents that it has not
// heard of yet.
func (f *Framework) reconcileSuspects() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.session != nil {
		f.pushSuspects(f.session.heartbeat)
	}
}

// pushSuspects asks for the suspect launches not asked for within the last
// interval. f.mu is held.
func (f *Framework) pushSuspects(interval time.Duration) {
	now := time.Now()
	var tasks []sdk.ReconcileTask
	for id, l := range f.doubt {
		if l.ask && now.Sub(l.asked) >= interval {
			l.asked = now
			tasks = append(tasks, sdk.ReconcileTask{TaskID: id, AgentID: l.agent})
		}
	}
	if len(tasks) == 0 {
		return
	}
	slices.SortFunc(tasks, func(a, b sdk.ReconcileTask) int { return strings.Compare(string(a.TaskID), string(b.TaskID)) })
	_ = f.push(sdk.Call{Type: sdk.CallReconcile, Reconcile: &sdk.Reconcile{Tasks: tasks}})
}

func eachTask(operations []sdk.Operation, do func(*sdk.TaskInfo)) {
	for i := range operations {
		if launch := operations[i].Launch; launch != nil {
			for j := range launch.TaskInfos {
				do(&launch.TaskInfos[j])
			}
		}
		if group := operations[i].LaunchGroup; group != nil {
			for j := range group.TaskGroup.Tasks {
				do(&group.TaskGroup.Tasks[j])
			}
		}
	}
}
