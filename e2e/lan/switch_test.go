package lan

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// station is a port of the tests: what is put in is read by the switch, and what the
// switch writes is kept with the time.
type station struct {
	in   chan []byte
	shut chan struct{}
	once sync.Once

	mu  sync.Mutex
	got []arrival
}

type arrival struct {
	text  string
	after time.Duration
}

func (s *station) Read(b []byte) (int, error) {
	select {
	case f := <-s.in:
		return copy(b, f), nil
	case <-s.shut:
		return 0, io.EOF
	}
}

func (s *station) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, arrival{string(b[14:]), time.Since(start())})
	return len(b), nil
}

func (s *station) Close() error { s.once.Do(func() { close(s.shut) }); return nil }

// start is when each bubble begins.
func start() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

func (s *station) take() []arrival {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

func (s *station) texts() []string {
	var out []string
	for _, a := range s.take() {
		out = append(out, a.text)
	}
	return out
}

func mac(n byte) hardware { return hardware{2, 0, 0, 0, 0, n} }

func everyone() hardware { return hardware{255, 255, 255, 255, 255, 255} }

func (s *station) send(from, to hardware, text string) {
	s.in <- slices.Concat(to[:], from[:], []byte{8, 0}, []byte(text))
	synctest.Wait()
}

// three makes a switch with the stations a, b and c.
func three(t *testing.T, seed uint64) (*Switch, map[string]*station) {
	t.Helper()
	sw := NewSwitch(seed)
	all := map[string]*station{}
	for _, name := range []string{"a", "b", "c"} {
		all[name] = &station{in: make(chan []byte), shut: make(chan struct{})}
		sw.Attach(name, all[name])
	}
	t.Cleanup(sw.Close)
	return sw, all
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, not %q", what, got, want)
	}
}

func TestSwitchLearns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sw, at := three(t, 1)
		at["a"].send(mac(1), mac(2), "nobody knows b")
		equal(t, "b", at["b"].texts(), "nobody knows b")
		equal(t, "c", at["c"].texts(), "nobody knows b")
		at["b"].send(mac(2), mac(1), "a is known")
		equal(t, "a", at["a"].texts(), "a is known")
		equal(t, "c", at["c"].texts())
		at["a"].send(mac(1), mac(2), "and b is")
		equal(t, "c", at["c"].texts())
		equal(t, "b", at["b"].texts(), "and b is")
		at["a"].send(mac(1), everyone(), "for all")
		equal(t, "a", at["a"].texts())
		equal(t, "b", at["b"].texts(), "for all")
		equal(t, "c", at["c"].texts(), "for all")
		at["a"].send(mac(1), mac(1), "to itself")
		at["c"].in <- []byte("short")
		equal(t, "b", at["b"].texts())
		sw.Detach("b")
		at["a"].send(mac(1), mac(2), "b is gone")
		equal(t, "c", at["c"].texts(), "b is gone")
	})
}

func TestSwitchCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sw, at := three(t, 1)
		for i, name := range []string{"a", "b", "c"} {
			at[name].send(mac(byte(i+1)), everyone(), "hello")
		}
		for _, s := range at {
			s.take()
		}
		sw.Set("a", "b", Link{Cut: true})
		at["a"].send(mac(1), mac(2), "one way")
		at["b"].send(mac(2), mac(1), "other way")
		at["a"].send(mac(1), everyone(), "to c only")
		equal(t, "a", at["a"].texts(), "other way")
		equal(t, "b", at["b"].texts())
		equal(t, "c", at["c"].texts(), "to c only")
		sw.Heal()
		at["a"].send(mac(1), mac(2), "again")
		equal(t, "b", at["b"].texts(), "again")
		sw.Between([]string{"a"}, []string{"a", "b", "c"}, Link{Cut: true})
		at["a"].send(mac(1), everyone(), "lost")
		at["b"].send(mac(2), mac(1), "lost")
		at["b"].send(mac(2), mac(3), "among the others")
		equal(t, "a", at["a"].texts())
		equal(t, "b", at["b"].texts())
		equal(t, "c", at["c"].texts(), "among the others")
		sw.Set("a", "b", Link{Cut: true}) // nothing new
		var log []string
		for _, e := range sw.Events() {
			log = append(log, strings.SplitN(e.String(), " ", 2)[1])
		}
		equal(t, "the log", log, "a to b: cut", "healed, 1 directions", "a to b: cut", "b to a: cut", "a to c: cut", "c to a: cut")
	})
}

func TestSwitchDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sw, at := three(t, 7)
		sw.Set("a", "b", Link{Delay: 20 * time.Millisecond, Jitter: 10 * time.Millisecond})
		for i := range 100 {
			at["a"].send(mac(1), mac(2), fmt.Sprint(i))
		}
		if got := at["b"].take(); len(got) != 0 {
			t.Errorf("%d frames came at once", len(got))
		}
		<-time.After(30 * time.Millisecond) // synctest
		got := at["b"].take()
		inOrder := true
		for i, a := range got {
			inOrder = inOrder && a.text == fmt.Sprint(i)
			if a.after < 20*time.Millisecond || a.after > 30*time.Millisecond {
				t.Errorf("frame %s after %v", a.text, a.after)
			}
		}
		if len(got) != 100 || inOrder {
			t.Errorf("%d frames; in order: %v", len(got), inOrder)
		}
		at["a"].send(mac(1), mac(2), "on its way")
		sw.Set("a", "b", Link{Cut: true})
		<-time.After(time.Second) // synctest
		equal(t, "of a cut cable", at["b"].texts())
	})
}

// TestSwitchChances: loss and doubles are as often as was said, and the same for a seed.
func TestSwitchChances(t *testing.T) {
	play := func(seed uint64) (got []string) {
		synctest.Test(t, func(t *testing.T) {
			sw, at := three(t, seed)
			sw.Set("a", "b", Link{Loss: 0.2, Duplicate: 0.1})
			for i := range 5000 {
				at["a"].send(mac(1), mac(2), fmt.Sprint(i))
			}
			got = at["b"].texts()
			equal(t, "the start of c, whom nothing is done to", at["c"].texts()[:3], "0", "1", "2")
		})
		return got
	}
	got := play(5)
	different := len(slices.Compact(slices.Clone(got)))
	if different < 3850 || different > 4150 || len(got)-different < 320 || len(got)-different > 480 {
		t.Errorf("of 5000 frames %d arrived, %d of them twice", different, len(got)-different)
	}
	if !slices.Equal(got, play(5)) || slices.Equal(got, play(6)) {
		t.Error("chances do not come from the seed")
	}
}
