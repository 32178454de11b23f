package cluster

import (
	"bytes"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

func (c *Cluster) agentCall(in AgentCall) {
	s := c.streams[in.Session]
	switch {
	case s == nil || s.agent == nil:
		c.reply(in.Request, sdk.Errorf(sdk.CodeConflict, "", "this stream is not registered with this leader; register anew"))
		return
	case s.agent.id != in.Call.AgentID:
		c.reply(in.Request, sdk.Errorf(sdk.CodeInvalid, "agent_id", "is %q, the stream belongs to %q", in.Call.AgentID, s.agent.id))
		return
	}
	if err := in.Call.Validate(); err != nil {
		c.reply(in.Request, refusal(err))
		return
	}
	a := s.agent
	c.hear(a)
	switch in.Call.Type {
	case link.CallUpdate:
		c.update(a, in.Call.Update)
	case link.CallReconciled:
		c.reconciled(a, in.Call.Reconciled)
	case link.CallExecutorExited:
		c.executorExited(a, in.Call.ExecutorExited)
	case link.CallMessage:
		c.messageFromExecutor(a, in.Call.Message)
	case link.CallResources:
		if err := sdk.Resources(in.Call.Resources.Resources).Validate("resources.resources"); err != nil {
			c.reply(in.Request, refusal(err))
			return
		}
		c.changeResources(a, in.Call.Resources)
	case link.CallRegister:
		c.reply(in.Request, sdk.Errorf(sdk.CodeInvalid, "type", "REGISTER opens a stream of its own"))
		return
	}
	c.reply(in.Request, nil)
}

// update takes a task's state from its agent and passes it on. It is sent again
// by the agent until the framework acknowledges it.
func (c *Cluster) update(a *agent, u *link.Update) {
	status := u.Status
	if status.AgentID == "" {
		status.AgentID = a.id
	}
	f := c.frameworks[u.FrameworkID]
	t := a.tasks[taskKey{u.FrameworkID, status.TaskID}]
	if t != nil {
		c.learn(a, t, &status, u.Latest)
	}
	if f == nil || f.zombie {
		// Nobody else will acknowledge it.
		c.tell(a, &link.Event{Type: link.EventAcknowledge, Acknowledge: &link.Acknowledge{FrameworkID: u.FrameworkID, TaskID: status.TaskID, UUID: status.UUID}})
		if t != nil && t.state.Terminal() {
			c.removeTask(t)
		}
		return
	}
	c.send(f, updateEvent(f, &status))
}

// learn makes a status part of what is known of its task.
func (c *Cluster) learn(a *agent, t *task, status *sdk.TaskStatus, latest sdk.TaskState) {
	again, before := t.unacked != nil && bytes.Equal(t.unacked.UUID, status.UUID), t.state
	if latest == "" {
		latest = status.State
	}
	t.launched, t.unacked, t.status = false, status, status
	if !t.state.Terminal() {
		t.state = latest
	}
	x := t.runner
	if x != nil && status.ContainerStatus != nil {
		x.confirmed = true
	}
	if t.state.Terminal() {
		t.kill = nil
		c.free(t)
		c.settleKept(a)
		if x != nil && x.live == 0 && !x.confirmed && a.executors[executorKey{t.framework.id(), t.executor}] == x {
			c.dropExecutor(a, x) // the agent refused its only tasks, so it never came to be
		}
	}
	if !again || t.state != before {
		c.publishTask(t, status)
	}
}

// dropExecutor forgets an executor that ended, and frees what it held.
func (c *Cluster) dropExecutor(a *agent, x *executor) {
	a.dropExecutor(executorKey{x.framework.id(), x.info.ExecutorID})
	c.release(x.framework, a.id, x.role, x.resources)
	c.publishExecutor(a.id, x, false)
	x.framework.holds(a.id, -1)
	c.buryWhenDone(x.framework)
}

func (c *Cluster) executorExited(a *agent, e *link.ExecutorExited) {
	x := a.executors[executorKey{e.FrameworkID, e.ExecutorID}]
	if x == nil {
		return // the agent's own default executor, or told before
	}
	f, status := x.framework, e.Status
	c.dropExecutor(a, x)
	c.send(f, &sdk.Event{Type: sdk.EventFailure, Failure: &sdk.Failure{AgentID: a.id, ExecutorID: e.ExecutorID, Status: &status}})
}

// acknowledge passes a framework's word on to the agent. Without the agent it is
// as if it had not been said: the update will come again.
func (c *Cluster) acknowledge(f *framework, call *sdk.Acknowledge) {
	a := c.agents[call.AgentID]
	if a == nil || a.session == "" {
		return
	}
	c.tell(a, &link.Event{Type: link.EventAcknowledge, Acknowledge: &link.Acknowledge{FrameworkID: f.id(), TaskID: call.TaskID, UUID: call.UUID}})
	t := f.taskAt(a, call.TaskID)
	if t == nil || t.agent != a.id || t.unacked == nil || !bytes.Equal(t.unacked.UUID, call.UUID) {
		return
	}
	last := t.unacked
	t.unacked = nil
	if last.State.Terminal() {
		c.removeTask(t)
	}
}

// updateEvent is a status for a framework, in the states that it understands.
func updateEvent(f *framework, s *sdk.TaskStatus) *sdk.Event {
	e := &sdk.Event{Type: sdk.EventUpdate, Update: &sdk.Update{Status: *s}}
	e.Update.Status.State = f.stateFor(s.State)
	return e
}

// tellLost tells a framework, and the operators, of a state that no agent told.
func (c *Cluster) tellLost(t *task, reason sdk.Reason, message string) {
	s := &sdk.TaskStatus{
		TaskID:          t.id,
		AgentID:         t.agent,
		State:           t.state,
		Source:          sdk.SourceMaster,
		Reason:          reason,
		Message:         message,
		Timestamp:       stamp(c.now),
		UnreachableTime: timeInfo(t.lostAt),
	}
	c.send(t.framework, updateEvent(t.framework, s))
	c.publishTask(t, s)
}
