package sim

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// leader is the shell around one leader's mind.
type leader struct {
	w       *world
	m       *master
	name    string
	mind    *cluster.Cluster
	mirror  *registry.State // the mind's own
	commits int
	fence   link.Fence
	dead    bool
	streams map[cluster.Session]*stream
	clients map[cluster.Session]client
	replies map[uint64]func(*sdk.Error)
	asked   uint64
	ticking time.Time
	filters *filterBook
	steps   int
	keep    *keeping
}

// client is whoever reads a stream.
type client interface {
	schedulerEvent(*stream, *sdk.Event)
	agentEvent(*stream, *link.Event)
}

// begin makes a mind for a master whose log is applied up to its first own entry.
func (m *master) begin() {
	w := m.w
	l := &leader{
		w: w, m: m, name: fmt.Sprintf("leader %d/%d", m.reg.Generation(), m.term), fence: link.Fence{Generation: m.reg.Generation(), Term: m.term},
		streams: map[cluster.Session]*stream{}, clients: map[cluster.Session]client{}, replies: map[uint64]func(*sdk.Error){},
		filters: newFilterBook(), mirror: m.reg.Clone(),
	}
	w.note("%s is %s", m.name, l.name)
	l.mind = cluster.New(m.clock.now(), cluster.Options{
		Fence:    l.fence,
		Master:   sdk.MasterInfo{ID: fmt.Sprintf("m%d-%d", m.reg.Generation(), m.term), Port: 5050, Hostname: m.name},
		Registry: l.mirror,
	})
	m.lead = l
	l.keep = newKeeping(l, m.spaces.Leases())
	l.step(cluster.Tick{})
	l.keep.plan()
}

// observe sees what its master applies.
func (l *leader) observe(a applied) { l.keep.observe(a.store) }

// pick is the leader that a client finds: it asks some master, which knows where to
// go, or not, or believes to lead although another does.
func (w *world) pick(client string) *leader {
	m := w.masters[w.rng.IntN(len(w.masters))]
	if len(w.former) > 0 && w.chance(30) {
		m = w.former[w.rng.IntN(len(w.former))]
	}
	if !m.up || !w.net.reaches(client, m.name) || !w.net.reaches(m.name, client) {
		return nil
	}
	if l := m.leading(); l != nil {
		return l
	}
	if m.hint == nil {
		return nil
	}
	return m.hint.leading()
}

// step gives the mind one input, performs the effects, and looks at the books.
func (l *leader) step(in cluster.Input) {
	if l.dead {
		return
	}
	l.filters.before(l, in)
	effects := append([]cluster.Effect(nil), l.mind.Step(l.m.clock.now(), in)...)
	for _, e := range effects {
		l.perform(e)
	}
	if changed(effects) {
		if l.steps++; l.steps%l.w.opt.CheckEvery == 0 {
			if err := l.mind.Check(); err != nil {
				l.w.fail("%s: %v", l.name, err)
			}
		}
	}
	l.plan()
}

// changed tells whether a step did more than to answer, as for a heartbeat.
func changed(effects []cluster.Effect) bool {
	for _, e := range effects {
		switch e := e.(type) {
		case cluster.Reply:
		case cluster.ToAgent:
			if e.Event.Type != link.EventHeartbeat {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// plan has the next tick come when it is due.
func (l *leader) plan() {
	due, ok := l.mind.Due()
	if !ok || l.dead {
		return
	}
	due = l.m.clock.real(due)
	if !l.ticking.IsZero() && !l.ticking.After(due) && !l.ticking.Before(l.w.now) {
		return
	}
	l.ticking = due
	l.w.queue.add(due, l.name+" ticks", func() {
		if l.ticking.Equal(l.w.now) {
			l.ticking = time.Time{}
			l.step(cluster.Tick{})
		}
	})
}

func (l *leader) perform(e cluster.Effect) {
	w := l.w
	switch e := e.(type) {
	case cluster.ToScheduler:
		w.note("%s to %s: %s", l.name, e.Session, showEvent(e.Event))
		l.filters.offered(l, e.Session, e.Event)
		l.given(e.Event)
		if s := l.streams[e.Session]; s != nil {
			event, c := clone(w, e.Event), l.clients[e.Session]
			s.send(string(e.Session)+" gets "+string(event.Type), func() { c.schedulerEvent(s, event) })
		}
	case cluster.ToAgent:
		w.note("%s to %s: %s", l.name, e.Session, showLink(e.Event))
		if s := l.streams[e.Session]; s != nil {
			event, c := clone(w, e.Event), l.clients[e.Session]
			s.send(string(e.Session)+" gets "+string(event.Type), func() { c.agentEvent(s, event) })
		}
	case cluster.CloseScheduler:
		l.close(e.Session)
	case cluster.CloseAgent:
		l.close(e.Session)
	case cluster.Propose:
		l.propose(e)
	case cluster.Reply:
		if f := l.replies[e.Request]; f != nil {
			delete(l.replies, e.Request)
			f(e.Err)
		}
	case cluster.Log:
		if e.Level >= cluster.Error && !expected(e.Message) {
			w.fail("%s says: %s %v", l.name, e.Message, e.KV)
		}
	case cluster.Resign:
		w.note("%s resigns: %s", l.name, e.Reason)
		l.die()
	}
}

// expected tells whether an operator is told so because of the faults here.
func expected(message string) bool {
	return message == "giving up the leadership" || strings.HasPrefix(message, "many agents are silent at once")
}

func (l *leader) close(session cluster.Session) {
	if s := l.streams[session]; s != nil {
		delete(l.streams, session)
		delete(l.clients, session)
		s.end()
	}
}

func (l *leader) streamClosed(s *stream) {
	delete(l.streams, s.session)
	delete(l.clients, s.session)
	if s.agent {
		l.step(cluster.AgentClosed{Session: s.session})
	} else {
		l.filters.forget(l, s.session)
		l.step(cluster.SchedulerClosed{Session: s.session})
	}
}

// propose takes a command of the registry to the replicated log.
func (l *leader) propose(p cluster.Propose) {
	l.m.propose(l, clone(l.w, &p.Command), nil,
		func(a applied) {
			l.step(cluster.Committed{ID: p.ID, Result: a.reg})
			if l.commits++; l.commits%mirrorEvery == 0 && !l.dead {
				l.mirrored()
			}
		},
		func(err error) { l.step(cluster.Failed{ID: p.ID, Err: err}) })
}

// lose ends the mind of a master that does not lead any more. One whose process goes
// on tells its clients.
func (l *leader) lose(why string, crashed bool) {
	l.w.note("%s ends: %s", l.name, why)
	if !crashed {
		l.step(cluster.Failed{Err: errors.New(why)})
	}
	l.die()
}

// die ends the leader: its streams break.
func (l *leader) die() {
	if l.dead {
		return
	}
	l.dead = true
	l.mirrored()
	if m := l.m; m.lead == l {
		m.lead = nil
		m.stepDown("its mind has ended", false)
	}
	for _, id := range sortedKeys(l.streams) {
		s := l.streams[id]
		s.server = false
		s.drop()
	}
	if l.keep != nil {
		for _, x := range l.keep.watches {
			x.end()
		}
	}
	for _, id := range sortedKeys(l.replies) {
		l.replies[id](sdk.Errorf(sdk.CodeUnavailable, "", "the leader died"))
	}
}

// open makes a stream for a client that calls SUBSCRIBE or REGISTER.
func (l *leader) open(session cluster.Session, agent bool, c client, name string, closed func()) *stream {
	s := &stream{w: l.w, leader: l, session: session, agent: agent, client: true, server: true, last: l.w.now, name: name, closed: closed}
	l.streams[session], l.clients[session] = s, c
	return s
}

// ask numbers a request whose answer f gets, at most once.
func (l *leader) ask(f func(*sdk.Error)) uint64 {
	l.asked++
	l.replies[l.asked] = f
	return l.asked
}
