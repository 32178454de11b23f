package container

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestP18EveryContainerEnds drives a container by chance, as a shell would that
// answers every order, some with failure: the end is told once and never while a
// process may live, and once killed the container is gone within bounded time.
func TestP18EveryContainerEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, now := New(DefaultOptions()), start()
		s := &shell{t: t}
		s.take(c.Step(now, Begin{}))
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			s.step(c, now, s.draw())
		}
		s.calm = true
		s.step(c, now, Kill{Grace: -1})
		limit := now.Add(5 * time.Minute)
		for c.State() != Gone {
			if s.order != nil {
				s.step(c, now, s.answer())
				continue
			}
			due, ok := c.Deadline()
			if c.State() == Running || !ok || due.After(limit) {
				t.Fatalf("stuck in %s, due %v", c.State(), due)
			}
			if due.After(now) {
				now = due
			}
			s.step(c, now, Tick{})
		}
		if s.ends != 1 {
			t.Fatalf("the end was told %d times", s.ends)
		}
	})
}

// shell is what the agent would be: it performs one order at a time.
type shell struct {
	t     *rapid.T
	order Effect // not yet answered
	alive bool   // a process may be in the container
	ends  int
	calm  bool // nothing fails any more
	last  State
}

func (s *shell) step(c *Container, now time.Time, in Input) {
	s.take(c.Step(now, in))
	if c.State() < s.last {
		s.t.Fatalf("back from %s to %s", s.last, c.State())
	}
	s.last = c.State()
}

func (s *shell) take(effects []Effect) {
	for _, e := range effects {
		switch e.(type) {
		case DoPrepare, DoStart, DoDestroy, DoClean:
			if s.order != nil {
				s.t.Fatalf("%T while %T is out", e, s.order)
			}
			s.order = e
			if _, ok := e.(DoStart); ok {
				s.alive = true
			}
			if _, ok := e.(DoClean); ok && s.alive {
				s.t.Fatal("cleaned while a process may live")
			}
		case Ended:
			if s.ends++; s.alive {
				s.t.Fatal("ended while a process may live")
			}
		}
	}
}

func (s *shell) answer() Input {
	err := ""
	if !s.calm && rapid.IntRange(0, 3).Draw(s.t, "fails") == 0 {
		err = "no luck"
	}
	order := s.order
	s.order = nil
	switch order.(type) {
	case DoPrepare:
		return Prepared{Err: err}
	case DoStart:
		return Started{Err: err}
	case DoDestroy:
		s.alive = s.alive && err != ""
		return Destroyed{Err: err}
	default:
		return Cleaned{Err: err}
	}
}

func (s *shell) draw() Input {
	if s.order != nil && rapid.Bool().Draw(s.t, "answer") {
		// A start whose answer is overtaken by the exit must still be answered.
		return s.answer()
	}
	return rapid.SampledFrom([]Input{Tick{}, Tick{}, Kill{Grace: -1}, Kill{Grace: 0}, Kill{Grace: time.Second}, Limited{}, Begin{}}).Draw(s.t, "input")
}
