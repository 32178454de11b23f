package sim

import (
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// subscriber is a framework's process as far as it subscribes somewhere.
type subscriber struct {
	w          *world
	name       string
	info       sdk.FrameworkInfo
	suppressed []string
	event      func(*sdk.Event) // what came down its stream
	ended      func()           // the stream has ended; may be nil

	up         bool
	life       int
	clock      clock
	leader     *leader
	stream     *stream
	session    cluster.Session
	subscribed bool
}

// start is a new process.
func (s *subscriber) start() { s.up, s.clock = true, s.w.newClock() }

func (s *subscriber) crash() {
	s.up, s.subscribed = false, false
	s.life++
	if s.stream != nil {
		s.stream.hangUp()
		s.stream = nil
	}
}

func (s *subscriber) every(d time.Duration, what string, do func()) {
	life := s.life
	s.w.after(d, s.name+" "+what, func() {
		if s.up && s.life == life {
			do()
			s.every(d, what, do)
		}
	})
}

func (s *subscriber) soon(low, high time.Duration, what string, do func()) {
	life := s.life
	s.w.after(s.w.between(low, high), s.name+" "+what, func() {
		if s.up && s.life == life {
			do()
		}
	})
}

func (s *subscriber) connectSoon(pause time.Duration) {
	s.soon(pause, pause+500*time.Millisecond, "looks for a leader", func() {
		if s.stream == nil {
			s.connect()
		}
	})
}

func (s *subscriber) connect() {
	w, l := s.w, s.w.pick(s.name)
	if l == nil {
		s.connectSoon(time.Second)
		return
	}
	session := cluster.Session(w.session(s.name))
	life := s.life
	st := l.open(session, false, s, s.name, func() { s.streamEnded(session) })
	s.leader, s.stream, s.session, s.subscribed = l, st, session, false
	call := clone(w, &sdk.Call{Type: sdk.CallSubscribe, FrameworkID: s.info.ID, Subscribe: &sdk.Subscribe{FrameworkInfo: s.info, SuppressedRoles: s.suppressed}})
	w.after(w.between(time.Millisecond, 20*time.Millisecond), s.name+" subscribes at "+l.name, func() {
		if !w.net.reaches(s.name, l.m.name) {
			return // it waits in vain
		}
		l.m.confirm(func(leads bool) {
			if !leads || s.life != life || !st.server {
				st.drop()
				return
			}
			w.result.Operations++
			l.step(cluster.Subscribe{Session: session, Call: call, Request: l.ask(func(err *sdk.Error) {
				if err != nil && s.life == life {
					st.drop()
				}
			})})
		})
	})
	s.soon(5*time.Second, 5*time.Second, "waits for SUBSCRIBED", func() {
		if s.session == session && !s.subscribed && s.stream != nil {
			s.stream.drop()
		}
	})
}

func (s *subscriber) streamEnded(session cluster.Session) {
	if s.up && s.session == session && s.stream != nil {
		s.stream, s.subscribed = nil, false
		if s.ended != nil {
			s.ended()
		}
		s.connectSoon(100 * time.Millisecond)
	}
}

// agentEvent is for agents.
func (s *subscriber) agentEvent(*stream, *link.Event) {}

func (s *subscriber) schedulerEvent(st *stream, e *sdk.Event) {
	if !s.up || st != s.stream {
		return
	}
	if e.Type == sdk.EventSubscribed {
		s.subscribed = true
	}
	s.event(e)
}
