package registry

import (
	"fmt"
	"math"

	"github.com/profferhq/proffer/sdk"
)

// Apply decides about the command at that raft index and carries it out. A
// refusal (Result.Err) changed nothing but the index. The outcome depends on
// nothing but the commands before and this one.
func (s *State) Apply(index uint64, c Command) Result {
	s.index = index
	if c.Version == 0 {
		c.Version = CommandVersion
	}
	r := Result{Index: index, Version: c.Version}
	if c.Version > CommandVersion {
		r.Err = sdk.Errorf(sdk.CodeUnsupported, "version", "registry command of version %d, this master knows up to %d: upgrade it", c.Version, CommandVersion)
		return r
	}
	if err := s.apply(c, &r); err != nil {
		err.Op = string(c.Type)
		r = Result{Index: index, Version: c.Version, Err: err}
	}
	return r
}

func (s *State) apply(c Command, r *Result) *sdk.Error {
	switch {
	case c.Version < c.Type.Since():
		return sdk.Errorf(sdk.CodeUnsupported, "version", "the command %s needs version %d, which not every master knows yet: finish the upgrade", c.Type, c.Type.Since())
	case c.Type == CommandBootstrap && c.Bootstrap != nil:
		return s.bootstrap(*c.Bootstrap)
	case c.Type == CommandMember && c.Member != nil:
		return s.member(*c.Member)
	case c.Type == CommandRaiseGeneration:
		s.generation++
		r.Generation = s.generation
		return nil
	case c.Type == CommandAdmitAgent && c.AdmitAgent != nil:
		return s.admitAgent(c.Version, c.Time, *c.AdmitAgent, r)
	case c.Type == CommandAgentUnreachable && c.Agent != nil:
		return s.moveAgent(c.Time, c.Agent.ID, AgentUnreachable)
	case c.Type == CommandAgentGone && c.Agent != nil:
		return s.moveAgent(c.Time, c.Agent.ID, AgentGone)
	case c.Type == CommandRemoveAgent && c.Agent != nil:
		return s.removeAgent(c.Agent.ID)
	case c.Type == CommandDeactivateAgent && c.Agent != nil:
		return s.careFor(c.Agent.ID, func(a *Agent) *sdk.Error { a.Deactivated = true; return nil })
	case c.Type == CommandReactivateAgent && c.Agent != nil:
		return s.careFor(c.Agent.ID, reactivate)
	case c.Type == CommandDrainAgent && c.DrainAgent != nil:
		return s.careFor(c.DrainAgent.ID, func(a *Agent) *sdk.Error {
			a.Deactivated, a.DrainSince = true, c.Time
			a.Drain = &sdk.DrainInfo{State: sdk.Draining, Config: c.DrainAgent.Config}
			return nil
		})
	case c.Type == CommandAgentDrained && c.Agent != nil:
		return s.careFor(c.Agent.ID, drained)
	case c.Type == CommandKeepKills && c.KeepKills != nil:
		return s.keepKills(*c.KeepKills, r)
	case c.Type == CommandForgetKills && c.Agent != nil:
		return s.careFor(c.Agent.ID, func(a *Agent) *sdk.Error { s.dropKills(a); return nil })
	case c.Type == CommandTrimAgents && c.TrimAgents != nil:
		s.trim(*c.TrimAgents)
		return nil
	case c.Type == CommandAdmitFramework && c.AdmitFramework != nil:
		return s.admitFramework(c.Version, c.Time, *c.AdmitFramework, r)
	case c.Type == CommandFrameworkDisconnect && c.FrameworkDisconnect != nil:
		return s.disconnect(c.Time, *c.FrameworkDisconnect)
	case c.Type == CommandRemoveFramework && c.Framework != nil:
		return s.removeFramework(c.Time, c.Framework.ID)
	case c.Type == CommandSetWeight && c.SetWeight != nil:
		return s.setWeight(*c.SetWeight)
	case c.Type == CommandSetManifest && c.SetManifest != nil:
		// Whether it makes sense was the leader's to judge: what is refused here would have
		// to be refused by every release alike.
		s.manifest = &Manifest{Manifest: c.SetManifest.Manifest, Index: s.index, Time: c.Time}
		return nil
	}
	return sdk.Errorf(sdk.CodeInvalid, "type", "the command %q is unknown or has no content", c.Type)
}

func (s *State) bootstrap(b Bootstrap) *sdk.Error {
	if s.clusterID != "" {
		return sdk.Errorf(sdk.CodeConflict, "", "the cluster is %s already; a directory is bootstrapped once", s.clusterID)
	}
	if b.ClusterID == "" || b.Name == "" {
		return sdk.Errorf(sdk.CodeInvalid, "cluster_id", "a cluster needs an id and a name")
	}
	s.clusterID, s.clusterName, s.generation = b.ClusterID, b.Name, 1
	return nil
}

func (s *State) member(m Member) *sdk.Error {
	if m.Name == "" {
		return sdk.Errorf(sdk.CodeInvalid, "name", "must not be empty")
	}
	if m.Left {
		delete(s.members, m.Name)
		return nil
	}
	if m.Command == 0 {
		return sdk.Errorf(sdk.CodeInvalid, "command", "a member must tell the newest command that it knows")
	}
	s.members[m.Name] = m
	return nil
}

func (s *State) admitAgent(version uint32, now int64, c AdmitAgent, r *Result) *sdk.Error {
	if version < 5 || c.Info.ID != "" {
		c.Nonce = ""
	}
	if id, known := s.AgentOf(c.Nonce, c.Address); known {
		c.Info.ID = id
	} else if s.nonces.has(c.Nonce) {
		c.Nonce = "" // somebody else's
	}
	if c.Info.ID == "" {
		c.Info.ID = s.freshAgent(version)
	} else if err := invalid(sdk.ValidateID("info.id", c.Info.ID)); err != nil {
		return err
	}
	old, known := s.agents.get(c.Info.ID)
	if known && old.State == AgentGone || s.trimmedIDs.has(c.Info.ID) {
		return sdk.Errorf(sdk.CodeGone, "info.id", "agent %s was marked gone and may not return; start it with an empty work directory", c.Info.ID)
	}
	a := Agent{Info: c.Info, State: AgentAdmitted, Since: now, Admitted: now, Version: c.Version, Address: c.Address, Nonce: c.Nonce}
	if known {
		a.Admitted, a.Nonce = old.Admitted, old.Nonce
		a.Deactivated, a.Drain, a.DrainSince, a.Kills = old.Deactivated, old.Drain, old.DrainSince, old.Kills
		if old.State == AgentAdmitted {
			a.Since = old.Since
		}
	}
	s.addAgent(a)
	r.AgentID = c.Info.ID
	return nil
}

func (s *State) addAgent(a Agent) {
	s.agents = s.agents.put(a.Info.ID, a)
	if a.Nonce != "" {
		s.nonces = s.nonces.put(a.Nonce, a.Info.ID)
	}
}

func (s *State) dropAgent(a Agent) {
	s.agents = s.agents.remove(a.Info.ID)
	if a.Nonce != "" {
		s.nonces = s.nonces.remove(a.Nonce)
	}
}

// freshAgent is an id that nobody has or is known to have had: agents may bring ids along.
func (s *State) freshAgent(version uint32) sdk.AgentID {
	for {
		id := sdk.AgentID(fmt.Sprintf("%sS%d", s.prefix(version), s.nextAgent))
		s.nextAgent++
		if !s.agents.has(id) && !s.trimmedIDs.has(id) {
			return id
		}
	}
}

func (s *State) moveAgent(now int64, id sdk.AgentID, to AgentState) *sdk.Error {
	a, ok := s.agents.get(id)
	switch {
	case !ok:
		return sdk.Errorf(sdk.CodeNotFound, "agent.id", "no agent %s was admitted", id)
	case a.State == AgentGone && to != AgentGone:
		return sdk.Errorf(sdk.CodeGone, "agent.id", "agent %s was marked gone, which is final", id)
	case a.State == to:
		return nil
	}
	a.State, a.Since = to, now
	if to == AgentGone {
		s.dropKills(&a) // all of it has ended for certain
	}
	s.agents = s.agents.put(id, a)
	return nil
}

func (s *State) removeAgent(id sdk.AgentID) *sdk.Error {
	a, err := s.notGone(id)
	if err != nil {
		return err
	}
	s.dropKills(&a)
	s.dropAgent(a)
	return nil
}

// careFor changes what operators have decided about an agent that is not gone.
func (s *State) careFor(id sdk.AgentID, change func(*Agent) *sdk.Error) *sdk.Error {
	a, err := s.notGone(id)
	if err == nil {
		err = change(&a)
	}
	if err != nil {
		return err
	}
	s.agents = s.agents.put(id, a)
	return nil
}

// notGone is an agent of which something may still be decided.
func (s *State) notGone(id sdk.AgentID) (Agent, *sdk.Error) {
	a, ok := s.agents.get(id)
	switch {
	case !ok:
		return a, sdk.Errorf(sdk.CodeNotFound, "agent.id", "no agent %s was admitted", id)
	case a.State == AgentGone:
		return a, sdk.Errorf(sdk.CodeGone, "agent.id", "agent %s was marked gone, which is final", id)
	}
	return a, nil
}

func reactivate(a *Agent) *sdk.Error {
	if a.Drain != nil && a.Drain.State == sdk.Draining {
		return sdk.Errorf(sdk.CodeConflict, "agent.id", "agent %s is being drained; reactivate it when it is drained", a.Info.ID)
	}
	a.Deactivated, a.Drain, a.DrainSince = false, nil, 0
	return nil
}

func drained(a *Agent) *sdk.Error {
	if a.Drain == nil {
		return sdk.Errorf(sdk.CodeConflict, "agent.id", "agent %s is not being drained", a.Info.ID)
	}
	a.Drain = &sdk.DrainInfo{State: sdk.Drained, Config: a.Drain.Config}
	return nil
}

func (s *State) admitFramework(version uint32, now int64, c AdmitFramework, r *Result) *sdk.Error {
	if c.Info.ID == "" {
		c.Info.ID = s.freshFramework(version)
	} else if err := invalid(sdk.ValidateID("info.id", c.Info.ID)); err != nil {
		return err
	} else if s.remembers(c.Info.ID) || version >= 2 && s.made(version, c.Info.ID) {
		return sdk.Errorf(sdk.CodeGone, "info.id", "Framework has been removed")
	}
	f := Framework{Info: c.Info, Registered: now, Since: now}
	if old, known := s.frameworks.get(c.Info.ID); known {
		if old.Info.Principal != c.Info.Principal {
			return sdk.Errorf(sdk.CodeDenied, "info.principal", "framework %s belongs to the principal %q, not %q", c.Info.ID, old.Info.Principal, c.Info.Principal)
		}
		f.Registered = old.Registered
	}
	s.frameworks = s.frameworks.put(c.Info.ID, f)
	r.FrameworkID = c.Info.ID
	return nil
}

// freshFramework is an id that nobody has or had: frameworks may bring ids along.
func (s *State) freshFramework(version uint32) sdk.FrameworkID {
	for {
		id := s.frameworkID(version, s.nextFramework)
		s.nextFramework++
		if !s.frameworks.has(id) && !s.remembers(id) {
			return id
		}
	}
}

func (s *State) disconnect(now int64, c FrameworkDisconnect) *sdk.Error {
	f, ok := s.frameworks.get(c.ID)
	if !ok {
		return sdk.Errorf(sdk.CodeNotFound, "framework_disconnect.id", "no framework %s is registered", c.ID)
	}
	f.Since, f.Deadline = now, c.Deadline
	s.frameworks = s.frameworks.put(c.ID, f)
	return nil
}

func (s *State) removeFramework(now int64, id sdk.FrameworkID) *sdk.Error {
	f, ok := s.frameworks.get(id)
	if !ok {
		if s.remembers(id) {
			return nil
		}
		return sdk.Errorf(sdk.CodeNotFound, "framework.id", "no framework %s is registered", id)
	}
	s.frameworks = s.frameworks.remove(id)
	s.dropKillsOf(id)
	s.removed = append(s.removed, RemovedFramework{ID: id, Name: f.Info.Name, Principal: f.Info.Principal, Time: now})
	s.removedIDs = s.removedIDs.put(id, struct{}{})
	if n := len(s.removed) - MaxRemoved; n > 0 {
		for _, old := range s.removed[:n] {
			s.removedIDs = s.removedIDs.remove(old.ID)
		}
		s.removed = append([]RemovedFramework(nil), s.removed[n:]...)
	}
	return nil
}

func (s *State) setWeight(w SetWeight) *sdk.Error {
	if w.Role == "" {
		return sdk.Errorf(sdk.CodeInvalid, "role", "must not be empty")
	}
	if !(w.Weight > 0) || math.IsInf(w.Weight, 0) {
		return sdk.Errorf(sdk.CodeInvalid, "weight", "must be above zero and finite, it is %v", w.Weight)
	}
	s.weights[w.Role] = w.Weight
	return nil
}

// invalid narrows what ValidateID returns to the refusal that it is.
func invalid(err error) *sdk.Error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*sdk.Error); ok {
		return e
	}
	return sdk.Errorf(sdk.CodeInvalid, "", "%v", err)
}
