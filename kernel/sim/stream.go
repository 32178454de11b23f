package sim

import (
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/sdk/wire"
)

// stream carries events from a leader to one client, in order, until it breaks.
type stream struct {
	w       *world
	leader  *leader
	session cluster.Session
	agent   bool
	last    time.Time // when the newest event arrives
	client  bool      // the client reads it
	server  bool      // the leader holds it open
	name    string    // the client's
	closed  func()    // tells the client
}

// send has an event arrive, after all that was sent before it.
func (s *stream) send(what string, arrive func()) {
	at := s.w.now.Add(s.w.between(time.Millisecond, 20*time.Millisecond))
	if at.Before(s.last) {
		at = s.last
	}
	s.last = at
	s.w.queue.add(at, what, func() {
		if s.client && s.w.net.reaches(s.leader.m.name, s.name) {
			arrive()
		} else if s.client {
			s.drop() // TCP would wait; for the client it is the same as silence and an end
		}
	})
}

// drop breaks the stream with what is in it. Each side learns it in its time.
func (s *stream) drop() {
	if !s.client && !s.server {
		return
	}
	if s.client {
		s.client = false
		s.w.after(s.w.between(0, 3*time.Second), "stream "+string(s.session)+" ended for its client", s.closed)
	}
	s.hangUp()
}

// hangUp ends the client's side at once; the leader learns it later.
func (s *stream) hangUp() {
	s.client = false
	if !s.server {
		return
	}
	late := s.w.between(time.Millisecond, 200*time.Millisecond)
	if s.w.chance(20) {
		late = s.w.between(time.Second, 20*time.Second) // half open
	}
	s.w.after(late, "leader learns the end of "+string(s.session), s.serverLearns)
}

func (s *stream) serverLearns() {
	if !s.server {
		return
	}
	s.server = false
	s.leader.streamClosed(s)
}

// end is the leader's close: the client reads what was sent before it.
func (s *stream) end() {
	s.server = false
	at := s.w.now.Add(s.w.between(time.Millisecond, 20*time.Millisecond))
	if at.Before(s.last) {
		at = s.last
	}
	s.w.queue.add(at, "stream "+string(s.session)+" closed by the leader", func() {
		if s.client {
			s.client = false
			s.closed()
		}
	})
}

// clone takes a message over the wire: nothing is shared, and what can not be
// encoded is found here.
func clone[T any](w *world, v *T) *T {
	data, err := wire.Marshal(wire.Msgpack, v)
	if err != nil {
		w.fail("a message can not be written: %v", err)
		return v
	}
	out := new(T)
	if err := wire.Unmarshal(wire.Msgpack, data, out); err != nil {
		w.fail("a message can not be read: %v", err)
	}
	return out
}
