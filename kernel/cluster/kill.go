package cluster

import (
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// maxKills bounds what is remembered to be killed of tasks that nobody knows
// yet; frameworks say it again.
const maxKills = 1000

// kill obeys a KILL: at once, when the agent is back, or by saying what has
// become of the task.
func (c *Cluster) kill(f *framework, id sdk.TaskID, agent sdk.AgentID, policy *sdk.KillPolicy) {
	k := &pendingKill{agent: agent, kill: &link.Kill{FrameworkID: f.id(), TaskID: id, KillPolicy: policy}}
	t := f.tasks[id]
	switch {
	case t == nil:
		a := c.agents[agent]
		away := a != nil && (a.state == agentRecovering || a.state == agentUnreachable)
		if (agent == "" && c.recovering > 0 || away) && len(f.kills) < maxKills {
			f.kills[id] = k // sent when an agent comes back with the task
		}
		c.answerUnknown(f, id, agent)
	case agent != "" && agent != t.agent:
		c.log(Warn, "KILL with the wrong agent ignored", "framework", f.id(), "task", id, "agent", agent, "is on", t.agent)
	case !t.state.Terminal():
		// Kept until the task has ended: a stream that breaks may lose it.
		t.kill = k
		c.tell(c.agents[t.agent], &link.Event{Type: link.EventKill, Kill: k.kill})
	default:
		if t.unacked != nil {
			return // its end is on its way
		}
		c.send(f, updateEvent(f, c.reconciliation(t, "Reconciliation: Latest task state")))
	}
}

// settleKills answers what waited for agents that have all come back, or are lost.
func (c *Cluster) settleKills() {
	for _, fid := range sortedKeys(c.frameworks) {
		f := c.frameworks[fid]
		for _, id := range sortedKeys(f.kills) {
			k := f.kills[id]
			delete(f.kills, id)
			c.kill(f, id, k.agent, k.kill.KillPolicy)
		}
	}
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
