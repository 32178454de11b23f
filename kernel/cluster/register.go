package cluster

import (
	"fmt"
	"reflect"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// registration is one stream of an agent, from REGISTER to its end.
type registration struct {
	session Session
	call    *link.Call
	agent   *agent // nil until its admission is committed
	closed  bool   // before its admission was committed
	notice  string // for the agent, once it is admitted
}

func (c *Cluster) register(in AgentRegister) {
	c.recognise(in.Call)
	if err := c.checkRegister(in); err != nil {
		c.log(Warn, "agent refused", "agent", in.Call.AgentID, "why", err.Error())
		c.reply(in.Request, err)
		return
	}
	r := in.Call.Register
	c.reply(in.Request, nil)
	if known, ok := c.reg.Agent(in.Call.AgentID); ok && known.State == registry.AgentGone {
		c.refuseAgent(in.Session, "agent "+string(known.Info.ID)+" was marked gone and may not return")
		return
	}
	s := &registration{session: in.Session, call: in.Call}
	c.streams[in.Session] = s
	if a := c.agents[in.Call.AgentID]; a != nil && a.state <= agentHere && !a.marking && c.sameAgent(a, r) {
		c.join(s, a)
		return
	}
	known := c.agents[in.Call.AgentID]
	if known != nil {
		known.returning++
	}
	c.propose(registry.Command{
		Type:       registry.CommandAdmitAgent,
		AdmitAgent: &registry.AdmitAgent{Info: r.Agent, Version: r.Software, Address: r.Address, Nonce: r.Nonce},
	}, func(res registry.Result) {
		if known != nil {
			known.returning--
		}
		c.admitted(s, res)
		c.checkSilence(known) // it was let be until this was decided
	})
}

// recognise gives a new agent the id that it was given before: a second one would leave
// what was launched on the first with nobody who ever tells how it ended.
func (c *Cluster) recognise(call *link.Call) {
	if call.Register == nil || call.AgentID != "" || call.Register.Agent.ID != "" {
		return
	}
	if id, known := c.reg.AgentOf(call.Register.Nonce, call.Register.Address); known {
		call.AgentID, call.Register.Agent.ID = id, id
	}
}

// checkRegister refuses an agent before anything is opened for it.
func (c *Cluster) checkRegister(in AgentRegister) *sdk.Error {
	if in.Call.Type != link.CallRegister {
		return sdk.Errorf(sdk.CodeInvalid, "type", "the first call of a stream is REGISTER, not %s", in.Call.Type)
	}
	if err := in.Call.Validate(); err != nil {
		return refusal(err)
	}
	r := in.Call.Register
	if name := c.reg.ClusterName(); r.Cluster != "" && name != "" && r.Cluster != name {
		return sdk.Errorf(sdk.CodeDenied, "register.cluster", "the agent was started for the cluster %q, this one is %q: give it the masters of its own (--masters), or its right name (--cluster)", r.Cluster, name)
	}
	if err := c.stranger("agent", "register.agent.id", string(in.Call.AgentID)); err != nil {
		return err
	}
	switch own := c.opt.Fence; {
	case r.Highest.Generation > own.Generation:
		return sdk.Errorf(sdk.CodeConflict, "register.highest", "the agent has obeyed the leader %s already, this one is %s, of an earlier life of the cluster: if its masters are gone, restore their newest snapshot here (proffer cluster snapshot restore), which begins a later one%s", r.Highest, own, c.onceLater(r.Highest.Generation))
	case r.Highest.Compare(own) > 0:
		return sdk.Errorf(sdk.CodeConflict, "register.highest", "the agent has obeyed the leader %s already, this one is %s: find the newer one", r.Highest, own)
	}
	if err := sdk.Resources(r.Agent.Resources).Validate("register.agent.resources"); err != nil {
		return refusal(err)
	}
	if a := c.agents[in.Call.AgentID]; a != nil && a.session != "" && a.address != r.Address {
		return sdk.Errorf(sdk.CodeConflict, "register.agent.id", "agent %s is connected from %s; a copy of its work directory cannot run at %s too", a.id, a.address, r.Address)
	}
	if _, used := c.streams[in.Session]; used || in.Session == "" {
		return sdk.Errorf(sdk.CodeInternal, "", "the session %q is in use", string(in.Session))
	}
	return nil
}

// onceLater says what helps where a generation lies in the future. It is the time of the
// restore that began it (registry.Rebirth), by a clock that was ahead: what a restore begins
// now would be earlier.
func (c *Cluster) onceLater(generation uint64) string {
	const beyond = 1 << 33 // no clock shows such a year
	at := time.Unix(int64(min(generation, beyond)), 0).UTC()
	if at.Unix() < c.now.Unix() {
		return ""
	}
	return fmt.Sprintf("; its life was begun by a clock ahead of this one, so that helps only after %s: "+
		"then save this cluster (proffer cluster snapshot save) and restore that, with --force", at.Format(time.RFC3339))
}

// sameAgent tells whether the registry holds already what the agent says.
func (c *Cluster) sameAgent(a *agent, r *link.Register) bool {
	return a.info.Hostname == r.Agent.Hostname && a.info.Port == r.Agent.Port &&
		a.version == r.Software && a.address == r.Address &&
		sdk.Resources(a.info.Resources).Equal(r.Agent.Resources) &&
		reflect.DeepEqual(a.info.Attributes, r.Agent.Attributes) &&
		reflect.DeepEqual(a.info.Domain, r.Agent.Domain)
}

// refuseAgent tells an agent on its fresh stream that it is not wanted.
func (c *Cluster) refuseAgent(s Session, why string) {
	c.emit(ToAgent{Session: s, Event: &link.Event{
		Version: link.Version, Generation: c.opt.Fence.Generation, Term: c.opt.Fence.Term,
		Type: link.EventShutdown, Shutdown: &link.Shutdown{Message: why},
	}})
	c.emit(CloseAgent{Session: s})
}

// admitted lets an agent in once the registry has it.
func (c *Cluster) admitted(s *registration, res registry.Result) {
	if res.Err != nil {
		delete(c.streams, s.session)
		c.log(Warn, "agent refused by the registry", "agent", s.call.AgentID, "why", res.Err.Error())
		if !s.closed {
			c.refuseAgent(s.session, res.Err.Message)
		}
		return
	}
	a := c.agents[res.AgentID]
	if a == nil {
		a = newAgent(res.AgentID)
		if a.state = agentRecovering; s.call.AgentID != "" {
			a.state = agentUnreachable // trimmed meanwhile: its frameworks have to hear what it runs
		} else {
			c.recovering++ // taken off by join
		}
		c.agents[a.id] = a
	}
	c.join(s, a)
	if s.closed {
		c.agentClosed(s.session)
	}
}

// join makes a stream the agent's, and what it reports the truth about it.
func (c *Cluster) join(s *registration, a *agent) {
	r := s.call.Register
	if a.session != "" {
		c.emit(CloseAgent{Session: a.session})
		delete(c.streams, a.session)
	}
	c.takeBack(a)
	was := a.state
	if was == agentRecovering {
		c.recovering--
	}
	if a.registered.IsZero() {
		a.registered = c.now
	} else {
		a.reregistered = c.now
	}
	a.state, a.marking, a.suspect = agentHere, false, false
	c.hear(a)
	a.describe(r.Agent, r.Software, r.Address)
	a.session, s.agent = s.session, a
	s.call = nil
	c.tell(a, &link.Event{Type: link.EventRegistered, Registered: &link.Registered{
		AgentID:          a.id,
		HeartbeatSeconds: c.opt.AgentHeartbeat.Seconds(),
		Cluster:          c.reg.ClusterName(),
	}})
	c.compareClocks(a, r.Time)
	c.arrive(a)
	if s.notice != "" {
		c.tell(a, &link.Event{Type: link.EventNotice, Notice: &link.Notice{Message: s.notice}})
	}
	c.publishAgent(a, was != agentHere)
	c.log(Info, "agent registered", "agent", a.id, "hostname", a.info.Hostname, "resources", sdk.Resources(a.info.Resources).String(), "tasks", len(r.Tasks))
	c.takeReport(a, r, was)
	c.lookAt(a, c.silentAt(a))
	c.alarms.set(alarm{at: c.now.Add(c.opt.AgentHeartbeat), kind: alarmAgentHeartbeat, agent: a.id, session: a.session})
	c.settleKills(was)
}

// takeBack withdraws all offers of an agent.
func (c *Cluster) takeBack(a *agent) {
	for _, o := range byAge(a.offers) {
		c.withdraw(o, true)
	}
}

// agentNotice passes on what the shell found out, after the registration when that is
// still on its way.
func (c *Cluster) agentNotice(in AgentNotice) {
	reg := c.streams[in.Session]
	switch {
	case reg == nil:
	case reg.agent == nil:
		reg.notice = in.Message
	default:
		c.tell(reg.agent, &link.Event{Type: link.EventNotice, Notice: &link.Notice{Message: in.Message}})
	}
}

func (c *Cluster) agentClosed(s Session) {
	reg := c.streams[s]
	if reg == nil {
		return
	}
	if reg.agent == nil {
		reg.closed = true
		return
	}
	delete(c.streams, s)
	a := reg.agent
	if a.session != s {
		return
	}
	a.session = ""
	c.log(Warn, "agent disconnected", "agent", a.id, "hostname", a.info.Hostname)
	c.takeBack(a)
	c.books.DeactivateAgent(a.id)
	c.publishAgent(a, false)
}

// agentHeartbeat says something to an agent that heard nothing for a while.
func (c *Cluster) agentHeartbeat(a *agent, s Session) {
	if a == nil || a.session != s {
		return
	}
	next := a.told.Add(c.opt.AgentHeartbeat)
	if !next.After(c.now) {
		c.tell(a, &link.Event{Type: link.EventHeartbeat})
		next = c.now.Add(c.opt.AgentHeartbeat)
	}
	c.alarms.set(alarm{at: next, kind: alarmAgentHeartbeat, agent: a.id, session: s})
}
