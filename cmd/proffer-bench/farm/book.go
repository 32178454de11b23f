package farm

import (
	"bytes"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

type taskKey struct {
	framework sdk.FrameworkID
	task      sdk.TaskID
}

// task is one that runs, or whose updates are not all acknowledged.
type task struct {
	key    taskKey
	info   *sdk.TaskInfo
	queue  []*sdk.TaskStatus // not acknowledged, oldest first
	last   *sdk.TaskStatus
	ended  bool
	sent   []byte      // uuid of the update that went out last
	resend *time.Timer // nil before the first
}

const (
	resendMin = 10 * time.Second
	resendMax = 10 * time.Minute
)

// start takes tasks in. Those that the agent has, or had, are not begun again.
func (a *agent) start(r *link.Run) {
	a.frameworks[r.Framework.ID] = &r.Framework
	for i := range r.Tasks {
		key := taskKey{r.Framework.ID, r.Tasks[i].TaskID}
		if _, had := a.tombs[key]; had {
			a.f.Twice.Add(1)
			continue
		}
		if a.tasks[key] != nil {
			continue
		}
		t := &task{key: key, info: &r.Tasks[i]}
		a.tasks[key] = t
		a.f.Runs.Add(1)
		a.reach(t, sdk.TaskRunning)
		if a.f.o.Run > 0 {
			time.AfterFunc(a.f.o.Run, func() { a.end(key, sdk.TaskFinished) })
		}
	}
}

// end makes a task terminal.
func (a *agent) end(key taskKey, s sdk.TaskState) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tasks[key]
	if t == nil || t.ended {
		return
	}
	t.ended = true
	if s == sdk.TaskFinished {
		a.f.Finished.Add(1)
	}
	a.reach(t, s)
	a.wakeUp()
}

// reach notes a state, and sends it when none waits before it.
func (a *agent) reach(t *task, state sdk.TaskState) {
	uuid := make([]byte, 16)
	_, _ = rand.Read(uuid) // never fails
	s := &sdk.TaskStatus{TaskID: t.key.task, State: state, Source: sdk.SourceExecutor, AgentID: a.id, UUID: uuid,
		Timestamp: float64(time.Now().UnixMicro()) / 1e6, ContainerStatus: &sdk.ContainerStatus{
			ContainerID:  &sdk.ContainerID{Value: "00000000-0000-0000-0000-000000000000"},
			NetworkInfos: []sdk.NetworkInfo{{IPAddresses: []sdk.IPAddress{{Protocol: sdk.ProtocolIPv4, IPAddress: "127.0.0.1"}}}}}}
	t.last, t.queue = s, append(t.queue, s)
	a.f.Updates.Add(1)
	if len(t.queue) == 1 {
		a.forward(t, resendMin)
	}
}

// forward sends the oldest update of a task, and again after the pause, which doubles.
func (a *agent) forward(t *task, pause time.Duration) {
	if t.resend != nil {
		t.resend.Stop()
	}
	s := t.queue[0]
	t.resend = time.AfterFunc(pause, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(t.queue) > 0 && t.queue[0] == s {
			a.forward(t, min(2*pause, resendMax))
			a.wakeUp()
		}
	})
	if !a.registered {
		return
	}
	if bytes.Equal(t.sent, s.UUID) {
		a.f.Resent.Add(1)
	}
	t.sent = s.UUID
	u := &link.Update{FrameworkID: t.key.framework, Status: *s}
	if t.last != s {
		u.Latest = t.last.State
	}
	a.say(link.CallUpdate, func(c *link.Call) { c.Update = u })
}

// acknowledged takes an update off, and sends the next. A task that has ended and has
// nothing more to tell becomes a tombstone.
func (a *agent) acknowledged(k *link.Acknowledge) {
	t := a.tasks[taskKey{k.FrameworkID, k.TaskID}]
	if t == nil || len(t.queue) == 0 || !bytes.Equal(t.queue[0].UUID, k.UUID) {
		return
	}
	a.f.Acknowledged.Add(1)
	t.queue = t.queue[1:]
	switch {
	case len(t.queue) > 0:
		a.forward(t, resendMin)
	case t.ended:
		t.resend.Stop()
		a.tombs[t.key] = t.last.State
		delete(a.tasks, t.key)
	default:
		t.resend.Stop()
	}
}

// reconcile answers with what the agent knows.
func (a *agent) reconcile(r *link.Reconcile) {
	key := taskKey{r.FrameworkID, r.TaskID}
	s := sdk.TaskStatus{TaskID: r.TaskID, AgentID: a.id, Source: sdk.SourceAgent, Reason: sdk.ReasonReconciliation, Timestamp: float64(time.Now().UnixMicro()) / 1e6}
	if t := a.tasks[key]; t != nil {
		s.State, s.Message = t.last.State, "Reconciliation: Latest task state"
	} else if state, had := a.tombs[key]; had {
		s.State, s.Message = state, "Reconciliation: the task has ended and its end was acknowledged"
	} else {
		s.State, s.Reason, s.Message = sdk.TaskGone, sdk.ReasonTaskUnknown, sdk.MessageNeverHad
	}
	a.say(link.CallReconciled, func(c *link.Call) { c.Reconciled = &link.Reconciled{FrameworkID: r.FrameworkID, Status: s} })
}

// drop forgets all that a removed framework had.
func (a *agent) drop(id sdk.FrameworkID) {
	for key, t := range a.tasks {
		if key.framework == id {
			t.resend.Stop()
			delete(a.tasks, key)
		}
	}
	delete(a.frameworks, id)
}

// report is what a leader must know of the agent.
func (a *agent) report() *link.Register {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := &link.Register{
		Agent:  sdk.AgentInfo{ID: a.id, Hostname: a.name, Port: 5051, Resources: a.f.o.Resources},
		BootID: "farm", Software: "farm", Address: a.addr, Highest: a.highest, Time: time.Now().UnixNano(),
	}
	for _, info := range a.frameworks {
		r.Frameworks = append(r.Frameworks, *info)
	}
	for key, t := range a.tasks {
		s := *t.last
		s.UUID = nil
		out := sdk.Task{Name: t.info.Name, TaskID: key.task, FrameworkID: key.framework, AgentID: a.id, State: s.State,
			Resources: t.info.Resources, Labels: t.info.Labels, Statuses: []sdk.TaskStatus{s}}
		if len(t.queue) > 0 {
			out.StatusUpdateState, out.StatusUpdateUUID = t.queue[0].State, t.queue[0].UUID
		}
		r.Tasks = append(r.Tasks, out)
	}
	slices.SortFunc(r.Tasks, func(x, y sdk.Task) int { return strings.Compare(string(x.TaskID), string(y.TaskID)) })
	return r
}

func (a *agent) holding() (running, waiting int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.tasks {
		if !t.ended {
			running++
		}
		waiting += len(t.queue)
	}
	return running, waiting
}
