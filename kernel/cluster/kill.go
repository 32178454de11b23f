package cluster

import (
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// maxKills bounds what is remembered in memory to be killed of tasks that nobody
// knows yet, for one agent and for one framework; frameworks say it again.
const maxKills = registry.MaxAgentKills

// kill obeys a KILL: at once, when the agent is back, or by saying what has
// become of the task. done is called when it is certain that it is obeyed: what
// waits for an unreachable agent is in the registry first.
func (c *Cluster) kill(f *framework, id sdk.TaskID, agent sdk.AgentID, policy *sdk.KillPolicy, done func()) {
	k := &link.Kill{FrameworkID: f.id(), TaskID: id, KillPolicy: policy}
	t := f.taskAt(c.agents[agent], id)
	if t != nil && agent == "" {
		agent = t.agent
	}
	if a := c.agents[agent]; a != nil && a.state == agentUnreachable && (t == nil || t.agent == agent && !t.state.Terminal()) {
		defer c.keep(a, []registry.Kill{keptKill(k)}, done)
	} else {
		defer done()
	}
	switch {
	case t == nil:
		a := c.agents[agent]
		switch {
		case a == nil:
			if agent == "" && (c.recovering > 0 || c.someUnreachable()) && len(f.kills) < maxKills {
				f.kills[id] = k // sent when an agent comes back with the task
			}
		case a.state == agentRecovering || a.state == agentUnreachable:
			if len(a.kills) < maxKills {
				a.kills[taskKey{f.id(), id}] = k
			}
		}
		c.answerUnknown(f, id, agent)
	case agent != t.agent:
		c.log(Warn, "KILL with the wrong agent ignored", "framework", f.id(), "task", id, "agent", agent, "is on", t.agent)
	case !t.state.Terminal():
		// Kept until the task has ended: a stream that breaks may lose it.
		t.kill = k
		c.tell(c.agents[t.agent], &link.Event{Type: link.EventKill, Kill: k})
	default:
		if t.unacked != nil {
			return // its end is on its way
		}
		c.send(f, updateEvent(f, c.reconciliation(t, "Reconciliation: Latest task state")))
	}
}

// settleKills answers what waited for whichever agent has it, when all have come back or
// are lost. While one is unreachable it may be the one that has it, so they go on waiting.
// was is the state that an agent has just left.
func (c *Cluster) settleKills(was agentState) {
	if c.recovering > 0 || was == agentHere || !c.killsWait() { // ten thousand agents come back one by one
		return
	}
	away := c.someUnreachable()
	if was == agentUnreachable && away {
		return
	}
	for _, fid := range sortedKeys(c.frameworks) {
		f := c.frameworks[fid]
		for _, id := range sortedKeys(f.kills) {
			if away {
				c.answerUnknown(f, id, "")
				continue
			}
			k := f.kills[id]
			delete(f.kills, id)
			c.kill(f, id, "", k.KillPolicy, func() {})
		}
	}
}

// killsWait tells whether a kill waits for whichever agent has its task.
func (c *Cluster) killsWait() bool {
	for _, f := range c.frameworks {
		if len(f.kills) > 0 {
			return true
		}
	}
	return false
}

// someUnreachable tells whether an agent is, and may run what nobody here knows.
func (c *Cluster) someUnreachable() bool {
	for _, a := range c.agents {
		if a.state == agentUnreachable {
			return true
		}
	}
	return false
}

// shutdownExecutor ends an executor of the framework's.
func (c *Cluster) shutdownExecutor(f *framework, call *sdk.Shutdown) {
	c.tell(c.agents[call.AgentID], &link.Event{Type: link.EventShutdownExecutor, ShutdownExecutor: &link.ShutdownExecutor{FrameworkID: f.id(), ExecutorID: call.ExecutorID}})
}

// message passes bytes on to an executor, at most once.
func (c *Cluster) message(f *framework, call *sdk.Message) {
	c.tell(c.agents[call.AgentID], &link.Event{Type: link.EventMessage, Message: &link.Message{FrameworkID: f.id(), ExecutorID: call.ExecutorID, Data: call.Data}})
}

func (c *Cluster) messageFromExecutor(a *agent, m *link.Message) {
	if f := c.frameworks[m.FrameworkID]; f != nil {
		c.send(f, &sdk.Event{Type: sdk.EventMessage, Message: &sdk.Message{AgentID: a.id, ExecutorID: m.ExecutorID, Data: m.Data}})
	}
}
