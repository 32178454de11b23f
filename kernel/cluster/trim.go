package cluster

import (
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// trimLater sets the next moment at which old agents are looked for.
func (c *Cluster) trimLater() {
	c.alarms.set(alarm{at: c.now.Add(c.opt.TrimInterval), kind: alarmTrim})
}

// trimAgents has the registry forget agents that are unreachable or gone since long ago, by
// this leader's clock, or that are too many.
func (c *Cluster) trimAgents() {
	c.trimLater()
	what := registry.TrimAgents{Before: c.now.Add(-c.opt.MaxAgentAge).UnixNano(), Keep: uint64(c.opt.MaxAgentCount)}
	if !c.reg.Trims(what) {
		return
	}
	c.propose(registry.Command{Type: registry.CommandTrimAgents, TrimAgents: &what}, func(registry.Result) {
		forgotten := 0
		for _, id := range sortedKeys(c.agents) {
			a := c.agents[id]
			if _, known := c.reg.Agent(id); !known && (a.state == agentUnreachable || a.state == agentGone) {
				c.forgetTrimmed(a)
				forgotten++
			}
		}
		c.log(Info, "agents that were away or gone for too long, or too many, are forgotten", "agents", forgotten)
	})
}

// forgetTrimmed takes an agent out of this mind that the registry has forgotten. What it
// ran is unknown from now on.
func (c *Cluster) forgetTrimmed(a *agent) {
	for _, t := range a.sortedTasks() {
		c.removeTask(t)
	}
	if c.addresses[a.address] == a.id {
		delete(c.addresses, a.address)
	}
	c.clearNotice(replacedKey(a))
	delete(c.draining, a.id)
	delete(c.agents, a.id)
	c.settleKills(a.state)
	if a.state == agentUnreachable { // a gone one is out of sight already
		c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventAgentRemoved, AgentRemoved: &sdk.AgentRemoved{AgentID: a.id}})
	}
}
