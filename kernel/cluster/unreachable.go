package cluster

import (
	"fmt"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// checkSilence proposes the loss of an agent that said nothing for too long.
func (c *Cluster) checkSilence(a *agent) {
	if a == nil || a.marking || a.state > agentHere {
		return
	}
	if at := a.heard.Add(c.opt.AgentTimeout); at.After(c.now) {
		c.alarms.set(alarm{at: at, kind: alarmAgentSilent, agent: a.id})
		return
	}
	a.marking = true
	silence := c.now.Sub(a.heard)
	if a.state == agentRecovering {
		silence = max(c.opt.RecoveryTimeout, c.opt.AgentTimeout)
	}
	c.propose(registry.Command{
		Type:  registry.CommandAgentUnreachable,
		Agent: &registry.AgentRef{ID: a.id},
	}, func(r registry.Result) {
		if r.Err != nil {
			c.log(Error, "the registry refused the loss of an agent", "agent", a.id, "error", r.Err.Error())
		}
		if a.marking {
			c.unreachable(a, fmt.Sprintf("Agent %s is unreachable: it was silent for %v", a.info.Hostname, silence))
		}
	})
}

// unreachable carries the loss of an agent out. Its tasks may well live on; what
// they use is nobody's until the agent is back.
func (c *Cluster) unreachable(a *agent, why string) {
	if a.state == agentRecovering {
		c.recovering--
	}
	a.state, a.marking, a.lostAt = agentUnreachable, false, c.now
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
		t.state, t.lostAt = sdk.TaskUnreachable, c.now
		c.tellLost(t, sdk.ReasonAgentRemoved, why)
	}
	for _, x := range a.sortedExecutors() {
		a.dropExecutor(executorKey{x.framework.id(), x.info.ExecutorID})
		c.publishExecutor(a.id, x, false)
		x.framework.holds(a.id, -1)
		c.buryWhenDone(x.framework)
	}
	c.takeBack(a)
	c.books.RemoveAgent(a.id)
	for _, id := range sortedKeys(c.frameworks) {
		c.send(c.frameworks[id], &sdk.Event{Type: sdk.EventFailure, Failure: &sdk.Failure{AgentID: a.id}})
	}
	if a.session != "" {
		c.emit(CloseAgent{Session: a.session})
		delete(c.streams, a.session)
		a.session = ""
	}
	for i := range a.questions {
		if f := c.frameworks[a.questions[i].FrameworkID]; f != nil {
			c.answerUnknown(f, a.questions[i].TaskID, a.id)
		}
	}
	a.questions = nil
	c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventAgentRemoved, AgentRemoved: &sdk.AgentRemoved{AgentID: a.id}})
	// Mesos's clients forget it; Proffer's readers go on seeing what does not answer.
	c.publishAgent(a, false)
	if c.recovering == 0 {
		c.settleKills()
	}
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
