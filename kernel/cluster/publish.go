package cluster

import "github.com/profferhq/proffer/sdk"

// What operators and kernel/view see goes out through the functions below.

func (c *Cluster) publishFramework(f *framework, again bool) {
	s := sdk.FrameworkState{
		FrameworkInfo:    f.info,
		Active:           f.subscribed,
		Connected:        f.subscribed,
		Recovered:        f.recovered,
		RegisteredTime:   timeInfo(f.registered),
		ReregisteredTime: timeInfo(f.reregistered),
		OfferConstraints: f.constraints,
	}
	if again {
		c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventFrameworkUpdated, FrameworkUpdated: &sdk.FrameworkUpdated{Framework: s}})
		return
	}
	c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventFrameworkAdded, FrameworkAdded: &sdk.FrameworkAdded{Framework: s}})
}

func (c *Cluster) publishAgent(a *agent, added bool) {
	s := sdk.AgentState{
		AgentInfo:        a.info,
		Active:           a.session != "" && !a.deactivated, // as in Mesos
		Version:          a.version,
		PID:              "slave(1)@" + a.address,
		RegisteredTime:   timeInfo(a.registered),
		ReregisteredTime: timeInfo(a.reregistered),
		TotalResources:   a.info.Resources,
		Deactivated:      a.deactivated,
		DrainInfo:        a.drain,

		EstimatedDrainStartTime: timeInfo(a.drainSince),
	}
	if a.state == agentUnreachable {
		s.UnreachableTime = timeInfo(a.lostAt)
	}
	if added {
		c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventAgentAdded, AgentAdded: &sdk.AgentAdded{Agent: s}})
		return
	}
	c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventAgentUpdated, AgentUpdated: &sdk.AgentUpdated{Agent: s}})
}

func agentRecoveredEvent(a *agent) *sdk.OperatorEvent {
	return &sdk.OperatorEvent{Type: sdk.OperatorEventAgentRecovered, AgentRecovered: &sdk.AgentRecovered{AgentInfo: a.info}}
}

func (c *Cluster) publishExecutor(agent sdk.AgentID, x *executor, added bool) {
	if added {
		c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventExecutorAdded, ExecutorAdded: &sdk.ExecutorAdded{
			Executor: sdk.ExecutorState{ExecutorInfo: x.info, AgentID: agent},
		}})
		return
	}
	c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventExecutorRemoved, ExecutorRemoved: &sdk.ExecutorRemoved{
		FrameworkID: x.framework.id(), ExecutorID: x.info.ExecutorID, AgentID: agent,
	}})
}

func (c *Cluster) publishTask(t *task, s *sdk.TaskStatus) {
	if t.twin {
		return
	}
	c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventTaskUpdated, TaskUpdated: &sdk.TaskUpdated{
		FrameworkID: t.framework.id(), Status: *s, State: t.state,
	}})
}

// publishReported tells of a task that a registering agent listed.
func (c *Cluster) publishReported(t *task, r *sdk.Task, fresh bool, before sdk.TaskState) {
	switch {
	case t.twin:
	case fresh, before.Terminal() && !t.state.Terminal():
		c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventTaskAdded, TaskAdded: &sdk.TaskAdded{Task: *r}})
	case before != t.state:
		c.publishTask(t, c.reconciliation(t, "The agent registered again"))
	}
}
