package ledger

import (
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// fromExecutor takes a call of an executor.
func (l *Ledger) fromExecutor(in FromExecutor) {
	c := in.Call
	x := l.executor(c.FrameworkID, c.ExecutorID)
	if c.Type == sdk.ExecutorCallSubscribe {
		if x == nil || x.phase == leaving {
			l.do(CloseExecutor{Conn: in.Conn, Err: sdk.Errorf(sdk.CodeInvalid, "executor_id", "Executor cannot be found")})
			return
		}
		l.subscribe(x, in.Conn, c.Subscribe)
		return
	}
	if x == nil {
		l.note(string(c.ExecutorID), "a call of an executor that is not here was dropped")
		return
	}
	switch c.Type {
	case sdk.ExecutorCallUpdate:
		l.taskUpdate(x, c.Update)
	case sdk.ExecutorCallMessage:
		l.send(&link.Call{Type: link.CallMessage, Message: &link.Message{FrameworkID: c.FrameworkID, ExecutorID: c.ExecutorID, Data: c.Message.Data}})
	}
}

// subscribe takes an executor in, and brings both sides to the same view.
func (l *Ledger) subscribe(x *executor, conn uint64, s *sdk.ExecutorSubscribe) {
	if x.conn != 0 {
		delete(l.conns, x.conn)
		l.do(CloseExecutor{Conn: x.conn})
	}
	x.conn, x.failures = conn, 0
	l.conns[conn] = x
	if !x.closing {
		x.deadline = l.never()
	}
	if len(x.tasks) == 0 {
		x.idleAt = l.now
	}
	l.do(SendExecutor{Conn: conn, Event: &sdk.ExecutorEvent{Type: sdk.ExecutorEventSubscribed, Subscribed: &sdk.ExecutorSubscribed{
		ExecutorInfo: *x.info, FrameworkInfo: *x.fw.info, AgentInfo: l.agentInfo(), ContainerID: &sdk.ContainerID{Value: x.container},
	}}})
	listed := map[sdk.TaskID]bool{}
	if s != nil {
		for i := range s.UnacknowledgedTasks {
			listed[s.UnacknowledgedTasks[i].TaskID] = true
		}
		for i := range s.UnacknowledgedUpdates {
			u := &s.UnacknowledgedUpdates[i]
			listed[u.Status.TaskID] = true
			l.taskUpdate(x, u)
		}
	}
	for _, t := range sorted(x.tasks) {
		l.agree(t, listed[t.key.task])
	}
	l.deliver(x)
	if x.closing {
		l.do(SendExecutor{Conn: conn, Event: &sdk.ExecutorEvent{Type: sdk.ExecutorEventShutdown}})
	}
}

// agree settles one task with an executor that subscribed anew.
func (l *Ledger) agree(t *task, listed bool) {
	switch {
	case t.phase >= ending:
	case listed || t.last != nil:
		t.phase, t.restored = sent, false
		if t.kill != nil {
			l.armKill(t)
			l.sendKill(t)
		}
	case t.phase == sent && t.spec != nil:
		// Lost with the old connection. Should its executor have started it all the
		// same, the marker of the container makes this one do nothing.
		t.phase = prepared
	case t.phase == sent || t.restored:
		l.end(t, sdk.TaskStatus{State: sdk.TaskDropped, Reason: sdk.ReasonAgentRestarted,
			Message: "The agent restarted before the task was started"})
	}
}

// deliver launches what is ready.
func (l *Ledger) deliver(x *executor) {
	if x.conn == 0 {
		return
	}
	for _, t := range sorted(x.tasks) {
		if t.phase == prepared {
			l.deliverTask(t)
		}
	}
}

// deliverTask sends LAUNCH, or LAUNCH_GROUP once the whole group is prepared.
func (l *Ledger) deliverTask(t *task) {
	x := t.executor
	if t.group == "" {
		t.phase = sent
		l.do(SendExecutor{Conn: x.conn, Event: &sdk.ExecutorEvent{Type: sdk.ExecutorEventLaunch, Launch: &sdk.ExecutorLaunch{Task: *t.info, Spec: t.spec}}})
		return
	}
	var group []*task
	for _, o := range sorted(x.tasks) {
		if o.group != t.group {
			continue
		}
		if o.phase != prepared {
			return
		}
		group = append(group, o)
	}
	e := &sdk.ExecutorLaunchGroup{}
	for _, o := range group {
		o.phase = sent
		e.TaskGroup.Tasks = append(e.TaskGroup.Tasks, *o.info)
		if o.spec != nil {
			e.Specs = append(e.Specs, *o.spec)
		}
	}
	l.do(SendExecutor{Conn: x.conn, Event: &sdk.ExecutorEvent{Type: sdk.ExecutorEventLaunchGroup, LaunchGroup: e}})
}

// taskUpdate takes an executor's word about a task. It is acknowledged when it is
// in the books; the end of a task only when its container is empty.
func (l *Ledger) taskUpdate(x *executor, u *sdk.ExecutorUpdate) {
	s := &u.Status
	t := l.tasks[taskKey{x.fw.info.ID, s.TaskID}]
	switch {
	case t == nil || t.phase == ended || t.known(s.UUID):
		// Ended, or sent again: it is in the books.
		if x.conn != 0 {
			l.ack(x.conn, s.TaskID, s.UUID)
		}
		return
	case t.executor != x:
		l.note(string(s.TaskID), "an update of a task of another executor was dropped")
		return
	case t.phase == ending:
		t.answer = append(t.answer, s.UUID)
		return
	}
	t.phase, t.restored, t.spec = sent, false, nil
	if s.State.Terminal() {
		t.answer = append(t.answer, s.UUID)
		l.end(t, *s)
		return
	}
	again := t.last != nil && (t.last.State == s.State || s.State == sdk.TaskRunning)
	if again && u.Process != nil && t.process != nil && *t.process == *u.Process && s.CheckStatus == nil && s.Healthy == nil {
		// A successor found the task that its predecessor had told of, and that may
		// have become more than running since.
		l.ack(x.conn, s.TaskID, s.UUID)
		return
	}
	l.update(t, *s, u.Process)
	if x.conn != 0 {
		l.ack(x.conn, s.TaskID, s.UUID)
	}
	if t.kill != nil && t.forceAt.IsZero() {
		l.armKill(t)
	}
}

func (l *Ledger) agentInfo() sdk.AgentInfo {
	a := l.o.Agent
	a.ID, a.Resources, a.Attributes, a.Overhead = l.agent, l.total, l.attributes, l.overhead
	return a
}
