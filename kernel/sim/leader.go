package sim

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// leader is the shell around one leader's mind.
type leader struct {
	w       *world
	name    string
	mind    *cluster.Cluster
	fence   link.Fence
	dead    bool
	deposed bool // another leads; this one does not know yet
	streams map[cluster.Session]*stream
	clients map[cluster.Session]client
	replies map[uint64]func(*sdk.Error)
	asked   uint64
	commits time.Time // when the last proposal is answered
	ticking time.Time
	filters *filterBook
}

// client is whoever reads a stream.
type client interface {
	schedulerEvent(*stream, *sdk.Event)
	agentEvent(*stream, *link.Event)
}

// elect makes a new leader. Those before it are deposed.
func (w *world) elect() {
	w.term++
	for _, l := range w.leaders {
		l.deposed = true
	}
	l := &leader{
		w: w, name: fmt.Sprintf("leader %d", w.term), fence: link.Fence{Generation: 1, Term: w.term},
		streams: map[cluster.Session]*stream{}, clients: map[cluster.Session]client{}, replies: map[uint64]func(*sdk.Error){},
		filters: newFilterBook(),
	}
	l.mind = cluster.New(w.now, cluster.Options{
		Fence:    l.fence,
		Master:   sdk.MasterInfo{ID: fmt.Sprintf("m%d", w.term), Port: 5050, Hostname: "master"},
		Registry: w.reg.Clone(),
	})
	w.leaders = append(w.leaders, l)
	l.step(cluster.Tick{})
}

// pick is the leader that a client finds: the newest, or one that was deposed and
// does not know it.
func (w *world) pick() *leader {
	if len(w.leaders) == 0 {
		return nil
	}
	if len(w.leaders) > 1 && !w.calm && w.chance(40) {
		return w.leaders[w.rng.IntN(len(w.leaders))]
	}
	return w.leaders[len(w.leaders)-1]
}

// step gives the mind one input, performs the effects, and looks at the books.
func (l *leader) step(in cluster.Input) {
	if l.dead {
		return
	}
	l.filters.before(l, in)
	effects := append([]cluster.Effect(nil), l.mind.Step(l.w.now, in)...)
	for _, e := range effects {
		l.perform(e)
	}
	if changed(effects) {
		if err := l.mind.Check(); err != nil {
			l.w.fail("%s: %v", l.name, err)
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
	if due.Before(l.w.now) {
		due = l.w.now
	}
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
		if e.Level >= cluster.Error && e.Message != "giving up the leadership" {
			w.fail("%s says: %s %v", l.name, e.Message, e.KV)
		}
	case cluster.Resign:
		w.note("%s resigns: %s", l.name, e.Reason)
		l.die()
	}
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

// propose takes a command to the replicated log. A deposed leader's fails; now
// and then the answer of one that was applied gets lost.
func (l *leader) propose(p cluster.Propose) {
	w := l.w
	at := w.now.Add(w.between(2*time.Millisecond, 40*time.Millisecond))
	if at.Before(l.commits) {
		at = l.commits
	}
	l.commits = at
	lost := !w.calm && w.rng.IntN(400) == 0
	w.queue.add(at, fmt.Sprintf("%s learns about proposal %d %s", l.name, p.ID, p.Command.Type), func() {
		switch {
		case l.dead:
		case l.deposed:
			l.step(cluster.Failed{ID: p.ID, Err: fmt.Errorf("leadership lost")})
		case lost:
			w.result.Faults++
			w.commit(p.Command)
			l.step(cluster.Failed{ID: p.ID, Err: fmt.Errorf("timeout")})
		default:
			l.step(cluster.Committed{ID: p.ID, Result: w.commit(p.Command)})
		}
	})
}

// die ends the leader's process: its streams break, and another is elected if it
// was the one.
func (l *leader) die() {
	if l.dead {
		return
	}
	w := l.w
	l.dead = true
	for i, x := range w.leaders {
		if x == l {
			w.leaders = append(w.leaders[:i:i], w.leaders[i+1:]...)
			break
		}
	}
	for _, id := range sortedKeys(l.streams) {
		s := l.streams[id]
		s.server = false
		s.drop()
	}
	for _, id := range sortedKeys(l.replies) {
		l.replies[id](sdk.Errorf(sdk.CodeUnavailable, "", "the leader died"))
	}
	if !l.deposed {
		w.after(w.between(200*time.Millisecond, 2*time.Second), "election", func() {
			if len(w.leaders) == 0 || w.leaders[len(w.leaders)-1].deposed {
				w.elect()
			}
		})
	}
}

// open makes a stream for a client that calls SUBSCRIBE or REGISTER.
func (l *leader) open(session cluster.Session, agent bool, c client, stalled func() bool, closed func()) *stream {
	s := &stream{w: l.w, leader: l, session: session, agent: agent, client: true, server: true, last: l.w.now, stalled: stalled, closed: closed}
	l.streams[session], l.clients[session] = s, c
	return s
}

// ask numbers a request whose answer f gets, at most once.
func (l *leader) ask(f func(*sdk.Error)) uint64 {
	l.asked++
	l.replies[l.asked] = f
	return l.asked
}
