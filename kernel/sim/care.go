package sim

import (
	"slices"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// operators are what operators do to agents.
func operators() []fault {
	return []fault{
		{"an operator cares for an agent", 10, func(w *world) {
			m := w.machines[w.rng.IntN(len(w.machines))]
			what := sdk.OperatorDrain
			if w.chance(40) {
				what = sdk.OperatorDeactivate
			}
			w.operate(what, m.agent(), w.chance(20))
			w.after(w.between(5*time.Second, 90*time.Second), m.name+" is wanted again", func() { w.operate(sdk.OperatorReactivate, m.agent(), false) })
		}},
		{"an operator gives an agent up", 3, func(w *world) {
			m := w.machines[w.rng.IntN(len(w.machines))]
			w.giveUp(m.agent())
		}},
		{"a machine dies and another takes its place", 3, func(w *world) {
			m := w.machines[w.rng.IntN(len(w.machines))]
			id := m.agent()
			if !m.up || id == "" {
				return
			}
			m.crash()
			m.renew()
			w.after(w.between(time.Second, 60*time.Second), m.name+" is missed", func() { w.giveUp(id) })
		}},
	}
}

// agent is its id; empty before it has one.
func (m *machine) agent() sdk.AgentID {
	if m.l == nil {
		return ""
	}
	return m.l.Agent()
}

// operate asks the leader for something that an operator wants of an agent. gone is of a
// drain: the agent is given up when nothing runs on it any more.
func (w *world) operate(what sdk.OperatorCallType, id sdk.AgentID, gone bool) {
	lead := w.leads()
	if lead == nil || id == "" {
		return
	}
	call := &sdk.OperatorCall{Type: what}
	switch what {
	case sdk.OperatorMarkGone:
		call.MarkAgentGone = &sdk.MarkAgentGone{AgentID: id}
	case sdk.OperatorDrain:
		call.DrainAgent = &sdk.DrainAgent{AgentID: id, MarkGone: gone}
	case sdk.OperatorDeactivate:
		call.DeactivateAgent = &sdk.DeactivateAgent{AgentID: id}
	case sdk.OperatorReactivate:
		call.ReactivateAgent = &sdk.ReactivateAgent{AgentID: id}
	}
	w.result.Operations++
	lead.lead.step(cluster.OperatorCall{
		Caller: cluster.Caller{Operator: true}, Call: clone(w, call),
		Request: lead.lead.ask(func(err *sdk.Error) {
			w.note("%s of %s: %v", what, id, err)
			if _, gone := w.truth.gone[id]; what == sdk.OperatorMarkGone && err == nil && !gone {
				w.fail("it was said that %s is marked gone, and it is not", id)
			}
		}),
	})
}

// giveUp marks an agent gone, again and again until it is.
func (w *world) giveUp(id sdk.AgentID) {
	if _, gone := w.truth.gone[id]; gone || id == "" {
		return
	}
	w.operate(sdk.OperatorMarkGone, id, false)
	w.after(w.between(3*time.Second, 10*time.Second), "an operator looks at "+string(id), func() { w.giveUp(id) })
}

// knowsNonces is the version of commands by which a new agent gets one id, although the
// answer is lost.
const knowsNonces = 5

// missNobody gives up those ids of which an agent never heard, because a master was too old
// to know it again: operators see agents that never were.
func (w *world) missNobody() {
	for _, id := range w.truth.nameless {
		if !slices.ContainsFunc(w.machines, func(m *machine) bool { return m.agent() == id }) {
			w.giveUp(id)
		}
	}
}

// observeAgent sees each command about an agent that was carried out, in the order of the
// log: who is gone does not come back.
func (w *world) observeAgent(c *registry.Command, r registry.Result) {
	switch {
	case c.AdmitAgent != nil && c.AdmitAgent.Info.ID == "" && r.Version < knowsNonces:
		w.truth.nameless = append(w.truth.nameless, r.AgentID)
	case c.Type == registry.CommandAgentGone:
		if _, gone := w.truth.gone[c.Agent.ID]; !gone {
			w.note("agent %s is gone", c.Agent.ID)
			w.truth.gone[c.Agent.ID] = w.now
		}
	case c.AdmitAgent != nil:
		if at, gone := w.truth.gone[c.AdmitAgent.Info.ID]; gone {
			w.fail("agent %s is admitted again, which was marked gone at %v", c.AdmitAgent.Info.ID, at.Sub(w.start))
		}
	}
}

// given looks at a status that a leader tells: only what was given up is said to be.
func (l *leader) given(e *sdk.Event) {
	if e.Type != sdk.EventUpdate || e.Update.Status.State != sdk.TaskGoneByOperator {
		return
	}
	if _, gone := l.w.truth.gone[e.Update.Status.AgentID]; !gone {
		l.w.fail("%s tells that task %s is gone with agent %s, which nobody has given up", l.name, e.Update.Status.TaskID, e.Update.Status.AgentID)
	}
}

// welcomed looks at an agent that a leader has let in: one that knows that it leads knows
// who was given up before.
func (a *agentLink) welcomed(id sdk.AgentID) {
	if at, gone := a.m.w.truth.gone[id]; gone && at.Before(a.asked) {
		a.m.w.fail("%s lets agent %s in at %v, which was marked gone at %v", a.leader.name, id, a.asked.Sub(a.m.w.start), at.Sub(a.m.w.start))
	}
}

// stopTimeout is how long what runs has to end on an agent that is not wanted.
const stopTimeout = 20 * time.Second

// retire ends all that runs, and begins anew with an empty disk.
func (m *machine) retire(why string) {
	if _, gone := m.w.truth.gone[m.told]; !gone {
		m.w.fail("%s was told to retire: %s", m.name, why)
	}
	if m.retiring {
		return
	}
	m.retiring = true
	until := m.w.now.Add(stopTimeout)
	m.every(200*time.Millisecond, "looks whether all has ended", func() {
		if m.l.Counts().Executors > 0 && m.w.now.Before(until) {
			return
		}
		m.crash()
		m.renew()
	})
}

// renew makes it a machine on which nothing was, and starts an agent there.
func (m *machine) renew() {
	m.reboot()
	m.disk, m.obeyed, m.told, m.l = newDisk(), link.Fence{}, "", nil
	m.w.after(m.w.between(2*time.Second, 40*time.Second), m.name+" begins anew", m.startAgent)
}
