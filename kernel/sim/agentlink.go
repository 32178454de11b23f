package sim

import (
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// agentLink is an agent's stream to a leader, as the agent sees it.
type agentLink struct {
	m      *machine
	number uint64
	leader *leader
	stream *stream
	heard  time.Time
	sent   time.Time // when the newest call arrives
	gone   bool
	asked  time.Time // when the leader began to make sure that it leads; zero: it did not
}

// connectSoon has the agent look for a leader.
func (m *machine) connectSoon(pause time.Duration) {
	if m.link != nil {
		return
	}
	m.soon(pause, pause+500*time.Millisecond, "looks for a leader", func() {
		if m.link == nil {
			m.connect()
		}
	})
}

// connect registers with a leader on a fresh stream; the former one is closed.
func (m *machine) connect() {
	leader := m.w.pick(m.name)
	if leader == nil {
		m.connectSoon(time.Second)
		return
	}
	m.streams++
	a := &agentLink{m: m, number: m.streams, leader: leader, heard: m.w.now, sent: m.w.now}
	m.link = a
	m.step(ledger.Opened{Stream: a.number})
	report := m.l.Report()
	report.Software, report.Address = "sim", m.name+":5051"
	call := clone(m.w, &link.Call{Version: link.Version, Type: link.CallRegister, AgentID: report.Agent.ID, Register: report})
	blind := !m.w.calm && (m.w.chance(10) || leader.m != m.w.leads() && m.w.chance(80))
	if blind {
		call.Register.Highest = link.Fence{} // a master that does not look: the agent must
	}
	m.w.after(m.w.between(time.Millisecond, 30*time.Millisecond), m.name+" registers with "+leader.name, func() {
		switch {
		case !m.w.net.reaches(m.name, leader.m.name) || leader.dead:
			m.w.after(time.Second, m.name+" got no answer", func() { a.lose("no answer") })
		case blind:
			a.register(call, true)
		default:
			a.asked = m.w.now
			leader.m.confirm(func(leads bool) { a.register(call, leads) })
		}
	})
	m.soon(2500*time.Millisecond, 2500*time.Millisecond, "says that it is here", a.heartbeat)
}

// register opens the stream at a leader that knows, or does not care, that it leads.
func (a *agentLink) register(call *link.Call, leads bool) {
	m, leader := a.m, a.leader
	if leader.dead || a.gone || !leads {
		a.lose("no answer")
		return
	}
	session := cluster.Session(m.w.session(m.name))
	a.stream = leader.open(session, true, m, m.name, func() { a.lose("the stream ended") })
	m.w.result.Operations++
	leader.step(cluster.AgentRegister{Request: leader.ask(func(err *sdk.Error) {
		if err != nil {
			delete(leader.streams, session)
			a.stream.server = false
			m.w.after(time.Millisecond, m.name+" is refused", func() { a.lose(err.Error()) })
		}
	}), Session: session, Call: call})
}

// agentEvent is an event that came down a stream.
func (m *machine) agentEvent(s *stream, e *link.Event) {
	a := m.link
	if !m.up || a == nil || a.stream != s {
		return
	}
	a.heard = m.w.now
	if e.Type == link.EventRegistered {
		a.welcomed(e.Registered.AgentID)
		m.told = e.Registered.AgentID
	}
	before := len(m.pending.Records)
	m.step(ledger.FromMaster{Stream: a.number, Event: e})
	if f := e.Fence(); f.Compare(m.obeyed) < 0 && (len(m.pending.Records) > before || m.l.Registered()) {
		m.w.fail("%s has obeyed %s and obeys %s", m.name, m.obeyed, f)
	}
	if f := e.Fence(); f.Compare(m.obeys) > 0 {
		m.obeys = f
	}
}

func (a *agentLink) heartbeat() {
	if a.gone {
		return
	}
	if a.m.w.now.Sub(a.heard) > 10*time.Second {
		a.lose("silence")
		return
	}
	if a.m.l.Registered() {
		a.post(&link.Call{Version: link.Version, Type: link.CallHeartbeat, AgentID: a.m.l.Agent()})
	}
	a.m.soon(2500*time.Millisecond, 2500*time.Millisecond, "says that it is here", a.heartbeat)
}

// post brings a call to the leader, in order. One that gets lost ends the stream:
// the agent registers anew and says everything again.
func (a *agentLink) post(c *link.Call) {
	w := a.m.w
	call := clone(w, c)
	at := w.now.Add(w.between(time.Millisecond, 30*time.Millisecond))
	if at.Before(a.sent) {
		at = a.sent
	}
	a.sent = at
	lost := !w.calm && w.rng.IntN(600) == 0
	w.queue.add(at, a.m.name+" posts "+show(call), func() {
		if a.leader.dead || a.stream == nil {
			lost = true
		}
		there, back := w.net.reaches(a.m.name, a.leader.m.name), w.net.reaches(a.leader.m.name, a.m.name)
		if lost || !there || !back {
			w.after(time.Second, a.m.name+" got no answer", func() { a.lose("a call got no answer") })
		}
		if lost || !there {
			return
		}
		w.result.Operations++
		in := cluster.AgentCall{Session: a.stream.session, Call: call}
		in.Request = a.leader.ask(func(err *sdk.Error) {
			if err != nil {
				w.after(w.between(time.Millisecond, 20*time.Millisecond), a.m.name+" learns: "+err.Error(), func() { a.lose(err.Error()) })
			}
		})
		a.leader.step(in)
		if !w.calm && w.chance(2) { // on its way twice
			late := clone(w, call)
			w.after(w.between(15*time.Second, 60*time.Second), a.m.name+"'s call comes again", func() {
				if a.gone {
					a.leader.step(cluster.AgentCall{Session: a.stream.session, Call: late})
				}
			})
		}
	})
}

// lose ends the stream for the agent, which looks for another.
func (a *agentLink) lose(why string) {
	if a.gone {
		return
	}
	a.m.w.note("%s loses its stream: %s", a.m.name, why)
	a.abandon()
	m := a.m
	if m.up && m.link == a {
		m.link = nil
		m.step(ledger.Closed{Stream: a.number})
		m.connectSoon(200 * time.Millisecond)
	}
}

// abandon hangs up.
func (a *agentLink) abandon() {
	a.gone = true
	if a.stream != nil && a.stream.client {
		a.stream.hangUp()
	}
}

// schedulerEvent is for schedulers.
func (m *machine) schedulerEvent(*stream, *sdk.Event) {}
