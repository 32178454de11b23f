package cluster

import (
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// reconcile answers a framework's RECONCILE: with an empty list for all tasks
// that are known, else for each that is asked about.
func (c *Cluster) reconcile(f *framework, call *sdk.Reconcile) {
	if len(call.Tasks) == 0 {
		for _, id := range sortedKeys(f.tasks) {
			c.send(f, updateEvent(f, c.reconciliation(f.tasks[id], "Reconciliation: Latest task state")))
		}
		return
	}
	for i := range call.Tasks {
		c.reconcileTask(f, call.Tasks[i].TaskID, call.Tasks[i].AgentID)
	}
}

func (c *Cluster) reconcileTask(f *framework, id sdk.TaskID, agent sdk.AgentID) {
	if t := f.taskAt(c.agents[agent], id); t != nil { // a wrong agent id does not matter then
		c.send(f, updateEvent(f, c.reconciliation(t, "Reconciliation: Latest task state")))
		return
	}
	c.answerUnknown(f, id, agent)
}

// answerUnknown tells what is to be said of a task that this leader does not
// know. Silence means: an agent that may have it is still to come back.
func (c *Cluster) answerUnknown(f *framework, id sdk.TaskID, agent sdk.AgentID) {
	s := &sdk.TaskStatus{
		TaskID:    id,
		AgentID:   agent,
		State:     sdk.TaskUnknown,
		Source:    sdk.SourceMaster,
		Reason:    sdk.ReasonReconciliation,
		Message:   "Reconciliation: Task is unknown",
		Timestamp: stamp(c.now),
	}
	a := c.agents[agent]
	switch {
	case agent == "" && c.recovering > 0:
		return
	case agent == "" || a == nil:
	case a.state == agentRecovering && plantAnswerForAbsent:
	case a.state == agentRecovering:
		return
	case a.state == agentUnreachable:
		s.State, s.Message, s.UnreachableTime = sdk.TaskUnreachable, "Reconciliation: Task is unreachable", timeInfo(a.lostAt)
	case a.state == agentGone:
		s.State, s.Message = sdk.TaskGoneByOperator, "Reconciliation: Task is gone"
	default:
		c.ask(a, f, id)
		return
	}
	c.send(f, updateEvent(f, s))
}

// ask has the agent give the definite answer, from its tombstones too.
func (c *Cluster) ask(a *agent, f *framework, id sdk.TaskID) {
	q := link.Reconcile{FrameworkID: f.id(), TaskID: id}
	if !c.tell(a, &link.Event{Type: link.EventReconcile, Reconcile: &q}) && len(a.questions) < maxQuestions {
		a.questions = append(a.questions, q)
	}
}

// reconciled passes an agent's definite answer on, in the words of Mesos.
func (c *Cluster) reconciled(a *agent, r *link.Reconciled) {
	f := c.frameworks[r.FrameworkID]
	if f == nil || f.zombie {
		return
	}
	s := r.Status
	s.AgentID, s.Source, s.UUID, s.Data, s.ExecutorID = a.id, sdk.SourceMaster, nil, nil, ""
	s.Message = "Reconciliation: Latest task state"
	if s.State == sdk.TaskGone && s.Reason == sdk.ReasonTaskUnknown {
		s.Message = sdk.MessageNeverHad
	}
	s.Reason = sdk.ReasonReconciliation
	s.Timestamp = stamp(c.now)
	c.send(f, updateEvent(f, &s))
}

// reconciliation is the latest that is known of a task, as a status that needs
// no acknowledgement.
func (c *Cluster) reconciliation(t *task, message string) *sdk.TaskStatus {
	s := &sdk.TaskStatus{
		TaskID:          t.id,
		AgentID:         t.agent,
		State:           t.state,
		Source:          sdk.SourceMaster,
		Reason:          sdk.ReasonReconciliation,
		Message:         message,
		Timestamp:       stamp(c.now),
		UnreachableTime: timeInfo(t.lostAt),
	}
	if t.status != nil {
		s.ContainerStatus, s.Healthy, s.CheckStatus, s.Labels = t.status.ContainerStatus, t.status.Healthy, t.status.CheckStatus, t.status.Labels
		s.HealthResults = t.status.HealthResults
	}
	return s
}
