package cluster

import (
	"math"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// careCall is what an operator wants of one agent.
type careCall struct {
	field string // of the call
	agent sdk.AgentID
	code  sdk.Code // of the refusal when there is no such agent: Mesos's differ
}

// careOf reads the agent out of a call; an error when the call has no body.
func careOf(call *sdk.OperatorCall) (careCall, *sdk.Error) {
	c := careCall{code: sdk.CodeInvalid}
	switch {
	case call.Type == sdk.OperatorMarkGone && call.MarkAgentGone != nil:
		c.field, c.agent, c.code = "mark_agent_gone", call.MarkAgentGone.AgentID, sdk.CodeNotFound
	case call.Type == sdk.OperatorDrain && call.DrainAgent != nil:
		c.field, c.agent = "drain_agent", call.DrainAgent.AgentID
		if g := call.DrainAgent.MaxGracePeriod; g != nil && (g.Seconds < 0 || g.Nanos < 0 || g.Seconds > math.MaxInt64/int64(2*time.Second)) {
			return c, sdk.Errorf(sdk.CodeInvalid, "drain_agent.max_grace_period", "must not be negative or beyond a century, it is %d s and %d ns", g.Seconds, g.Nanos)
		}
	case call.Type == sdk.OperatorDeactivate && call.DeactivateAgent != nil:
		c.field, c.agent = "deactivate_agent", call.DeactivateAgent.AgentID
	case call.Type == sdk.OperatorReactivate && call.ReactivateAgent != nil:
		c.field, c.agent = "reactivate_agent", call.ReactivateAgent.AgentID
	default:
		return c, sdk.Errorf(sdk.CodeInvalid, "type", "Expecting the body of %s to be present", call.Type)
	}
	return c, nil
}

// careFor carries out MARK_AGENT_GONE, DRAIN_AGENT, DEACTIVATE_AGENT and
// REACTIVATE_AGENT: the registry decides, then it is done.
func (c *Cluster) careFor(in OperatorCall) {
	call, wrong := careOf(in.Call)
	if wrong != nil {
		c.reply(in.Request, wrong)
		return
	}
	known, ok := c.reg.Agent(call.agent)
	switch {
	case !ok:
		c.reply(in.Request, sdk.Errorf(call.code, call.field+".agent_id", "Unknown agent %q", string(call.agent)))
		return
	case known.State == registry.AgentGone && in.Call.Type == sdk.OperatorMarkGone:
		c.done(in.Request)
		return
	}
	cmd := registry.Command{Agent: &registry.AgentRef{ID: call.agent}}
	switch in.Call.Type {
	case sdk.OperatorMarkGone:
		cmd.Type = registry.CommandAgentGone
	case sdk.OperatorDeactivate:
		cmd.Type = registry.CommandDeactivateAgent
	case sdk.OperatorReactivate:
		cmd.Type = registry.CommandReactivateAgent
	case sdk.OperatorDrain:
		cmd.Type, cmd.Agent = registry.CommandDrainAgent, nil
		cmd.DrainAgent = &registry.DrainAgent{ID: call.agent, Config: drainConfig(in.Call.DrainAgent)}
	}
	if plantGoneBeforeCommit && in.Call.Type == sdk.OperatorMarkGone {
		c.cared(call.agent, in.Call.Type)
	}
	c.propose(cmd, func(r registry.Result) {
		switch {
		case r.Err != nil && r.Err.Code == sdk.CodeUnsupported:
			c.reply(in.Request, sdk.Errorf(sdk.CodeUnavailable, "type", "a master of this cluster is too old for %s: finish the upgrade of the masters first (`proffer cluster members` shows their versions)", in.Call.Type))
			return
		case r.Err != nil:
			c.reply(in.Request, sdk.Errorf(r.Err.Code, call.field+".agent_id", "%s", r.Err.Message))
			return
		}
		c.log(Info, "an operator decided about an agent", "agent", call.agent, "what", in.Call.Type, "principal", in.Caller.Principal)
		c.cared(call.agent, in.Call.Type)
		c.done(in.Request)
	})
}

func drainConfig(d *sdk.DrainAgent) sdk.DrainConfig {
	out := sdk.DrainConfig{MarkGone: d.MarkGone}
	if g := d.MaxGracePeriod; g != nil {
		out.MaxGracePeriod = &sdk.DurationInfo{Nanoseconds: g.Seconds*int64(time.Second) + int64(g.Nanos)}
	}
	return out
}

// cared carries out what the registry holds about an agent now.
func (c *Cluster) cared(id sdk.AgentID, what sdk.OperatorCallType) {
	a := c.agents[id]
	if a == nil {
		return // admitted a moment ago, and about to join
	}
	if what == sdk.OperatorMarkGone {
		c.gone(a)
		return
	}
	c.takeCare(a)
	switch {
	case a.deactivated:
		c.takeBack(a)
		c.books.DeactivateAgent(a.id)
		c.drainTasks(a)
	case a.session != "":
		c.books.ActivateAgent(a.id)
	}
	if a.state != agentRecovering {
		c.publishAgent(a, false)
	}
}

// takeCare reads from the registry what operators decided about an agent.
func (c *Cluster) takeCare(a *agent) {
	known, ok := c.reg.Agent(a.id)
	if !ok {
		return
	}
	a.deactivated, a.drain, a.drainSince = known.Deactivated, known.Drain, time.Time{}
	if a.drain != nil {
		a.drainSince = time.Unix(0, known.DrainSince)
	}
	if a.draining() && known.State != registry.AgentGone {
		c.draining[a.id] = a
	} else {
		delete(c.draining, a.id)
	}
}

func (a *agent) draining() bool { return a.drain != nil && a.drain.State == sdk.Draining }

// drainTasks has everything end that an agent runs which is to be drained. It is said
// again at each of its registrations.
func (c *Cluster) drainTasks(a *agent) {
	if !a.draining() {
		return
	}
	for _, t := range a.sortedTasks() {
		if t.state.Terminal() {
			continue
		}
		k := &link.Kill{FrameworkID: t.framework.id(), TaskID: t.id, Reason: sdk.ReasonAgentDraining, MaxGrace: a.drain.Config.MaxGracePeriod}
		if t.kill != nil {
			k.KillPolicy = t.kill.KillPolicy
		}
		t.kill = k
		c.tell(a, &link.Event{Type: link.EventKill, Kill: k})
	}
}

// settleDrains looks which of the agents that are being drained are empty. Executors
// that have nothing to do are ended.
func (c *Cluster) settleDrains() {
	for _, id := range sortedKeys(c.draining) {
		a := c.draining[id]
		if a.state != agentHere || a.session == "" {
			continue
		}
		for _, x := range a.sortedExecutors() {
			if x.live == 0 && !x.closing {
				x.closing = c.tell(a, &link.Event{Type: link.EventShutdownExecutor, ShutdownExecutor: &link.ShutdownExecutor{FrameworkID: x.framework.id(), ExecutorID: x.info.ExecutorID}})
			}
		}
		if len(a.executors) == 0 && a.idle() {
			delete(c.draining, id)
			c.drained(a)
		}
	}
}

// idle tells whether all that the agent ran has ended. That its frameworks have
// acknowledged the ends is not waited for: who has left never does.
func (a *agent) idle() bool {
	for _, t := range a.tasks {
		if !t.state.Terminal() {
			return false
		}
	}
	return true
}

// drained writes down that nothing runs on an agent any more, and gives it up where the
// operator wanted that.
func (c *Cluster) drained(a *agent) {
	c.propose(registry.Command{Type: registry.CommandAgentDrained, Agent: &registry.AgentRef{ID: a.id}}, func(r registry.Result) {
		if r.Err != nil {
			return // it was marked gone meanwhile
		}
		c.log(Info, "agent drained", "agent", a.id, "hostname", a.info.Hostname)
		c.cared(a.id, sdk.OperatorDrain)
		if a.drain == nil || !a.drain.Config.MarkGone {
			return
		}
		c.propose(registry.Command{Type: registry.CommandAgentGone, Agent: &registry.AgentRef{ID: a.id}}, func(r registry.Result) {
			if r.Err == nil {
				c.gone(a)
			}
		})
	})
}

// gone carries out that an operator gave an agent up. What it ran has ended for
// certain, whatever the machine does: it may not come back.
func (c *Cluster) gone(a *agent) {
	if a.state == agentGone {
		return
	}
	if a.state == agentRecovering {
		c.recovering--
	}
	before := a.state
	a.state, a.marking = agentGone, false
	delete(c.draining, a.id)
	c.leaveTurns(a)
	c.clearNotice(silentKey(a.id))
	c.clockFits(a)
	c.clearNotice(replacedKey(a))
	c.log(Warn, "agent gone", "agent", a.id, "hostname", a.info.Hostname, "tasks", len(a.tasks))
	const why = "Agent has been marked gone"
	for _, t := range a.sortedTasks() {
		t.freed = true // the books of the agent go as a whole
		if !t.state.Terminal() && !t.framework.zombie {
			t.state, t.lostAt = sdk.TaskGoneByOperator, time.Time{}
			c.tellLost(t, sdk.ReasonAgentRemovedByOperator, why)
		}
		c.removeTask(t)
	}
	c.forgetAgent(a)
	if a.session != "" {
		c.tell(a, &link.Event{Type: link.EventShutdown, Shutdown: &link.Shutdown{Message: why + " and may not return"}})
		c.emit(CloseAgent{Session: a.session})
		delete(c.streams, a.session)
		a.session = ""
	}
	c.settleAgent(a, before)
	if before != agentGone {
		c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventAgentRemoved, AgentRemoved: &sdk.AgentRemoved{AgentID: a.id}})
	}
}

// forgetAgent takes an agent out of offers and books, with its executors, and lets every
// framework know.
func (c *Cluster) forgetAgent(a *agent) {
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
}

// settleAgent answers what waited for an agent that is not awaited any more, and was in
// another state before.
func (c *Cluster) settleAgent(a *agent, was agentState) {
	for i := range a.questions {
		if f := c.frameworks[a.questions[i].FrameworkID]; f != nil {
			c.answerUnknown(f, a.questions[i].TaskID, a.id)
		}
	}
	a.questions = nil
	for _, key := range sortedTaskKeys(a.kills) {
		if f := c.frameworks[key.framework]; f != nil && !f.zombie {
			c.answerUnknown(f, key.task, a.id)
		}
	}
	if a.state == agentGone {
		clear(a.kills)
		a.keeps = false
	}
	c.settleKills(was)
}
