package cluster

import (
	"time"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// unreachable carries the loss of an agent out that the registry dates at. Its tasks may
// well live on; what they use is nobody's until the agent is back.
func (c *Cluster) unreachable(a *agent, at time.Time, why string) {
	was := a.state
	if was == agentRecovering {
		c.recovering--
	}
	a.state, a.marking, a.lostAt, a.lostHere = agentUnreachable, false, at, true
	c.leaveTurns(a)
	c.clearNotice(silentKey(a.id))
	c.clockFits(a)
	c.log(Warn, "agent unreachable", "agent", a.id, "hostname", a.info.Hostname, "why", why, "tasks", len(a.tasks))
	for _, t := range a.sortedTasks() {
		t.freed = true // the books of the agent go as a whole
		if t.framework.zombie || t.state.Terminal() && t.unacked == nil {
			c.removeTask(t)
			continue
		}
		if t.state.Terminal() {
			continue
		}
		t.state, t.lostAt = sdk.TaskUnreachable, at
		c.tellLost(t, sdk.ReasonAgentRemoved, why)
	}
	c.forgetAgent(a)
	if a.session != "" {
		c.emit(CloseAgent{Session: a.session})
		delete(c.streams, a.session)
		a.session = ""
	}
	c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventAgentRemoved, AgentRemoved: &sdk.AgentRemoved{AgentID: a.id}})
	// Mesos's clients forget it; Proffer's readers go on seeing what does not answer.
	c.publishAgent(a, false)
	c.settleAgent(a, was)
	c.keep(a, c.unkept(a), func() {})
}

// changeResources takes over new totals and attributes of an agent.
func (c *Cluster) changeResources(a *agent, r *link.Resources) {
	c.takeBack(a)
	info := a.info
	info.Resources, info.Attributes = r.Resources, r.Attributes
	a.describe(info, a.version, a.address)
	a.shrunk = !c.fits(a)
	c.books.UpdateAgent(allocator.Agent{ID: a.id, Total: a.info.Resources})
	c.publishAgent(a, false)
	if a.marking {
		return // its loss is on its way and would be undone in the registry alone; it registers anew with what it has
	}
	c.log(Info, "agent changed its resources", "agent", a.id, "resources", sdk.Resources(a.info.Resources).String())
	c.propose(registry.Command{
		Type:       registry.CommandAdmitAgent,
		AdmitAgent: &registry.AdmitAgent{Info: a.info, Version: a.version, Address: a.address},
	}, func(registry.Result) {})
}

// fits tells whether what an agent runs is within what it has; an operator may
// take resources away that are in use.
func (c *Cluster) fits(a *agent) bool {
	var used sdk.Resources
	for _, claim := range c.claims(a) {
		used = used.Add(claim.Resources)
	}
	return sdk.Resources(a.info.Resources).Contains(used.WithoutAllocation())
}
