package cluster

import (
	"slices"

	"github.com/profferhq/proffer/sdk"
)

// Life is what a leader knows of the task that a token or a lease is bound to.
type Life uint8

// What may be known. Only Ended is an end: a task that nobody has heard of may run all the
// same, on an agent that is cut off.
const (
	Strange Life = iota // its agent is not one of this cluster's, or not yet: one that was trimmed, or an empty registry
	Awaited             // its agent is awaited by this leader, or unreachable
	Lives               // it runs, as far as this leader has heard
	Ended               // its agent has said so, or does not have it, or was given up by an operator
)

// LifeOf tells what is known of a task on that agent; with no agent, wherever it may be:
// then nothing is an end while any agent is awaited or unreachable.
func (c *Cluster) LifeOf(framework sdk.FrameworkID, id sdk.TaskID, on sdk.AgentID) Life {
	if f := c.frameworks[framework]; f != nil {
		switch t := f.taskAt(c.agents[on], id); {
		case t == nil:
		case !t.state.Terminal():
			return Lives
		case t.agent == on:
			return Ended
		case slices.ContainsFunc(f.twins[id], func(twin *task) bool { return !twin.state.Terminal() }):
			return Lives
		case on == "":
			return Ended
		}
	}
	switch a := c.agents[on]; {
	case on == "" && c.reg.Stranger(string(framework)):
		return Strange
	case on == "":
		return c.lifeAnywhere()
	case a != nil && a.state <= agentUnreachable && a.state != agentHere:
		return Awaited
	case a == nil && !c.reg.Trimmed(on):
		return Strange
	}
	return Ended
}

// lifeAnywhere is what is known of a task that no agent here has reported.
func (c *Cluster) lifeAnywhere() Life {
	if c.recovering > 0 || c.someUnreachable() {
		return Awaited
	}
	return Ended
}
