package lan

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxFrame bounds one frame, in bytes; a TAP device with the usual MTU gives 1,514.
const maxFrame = 65536

// maxQueue bounds the frames that one direction of one pair delays; what is too much is lost.
const maxQueue = 4096

// Link is what one direction of a pair of ports does to frames. The zero Link carries all
// of them at once.
type Link struct {
	Delay     time.Duration
	Jitter    time.Duration // added to Delay, evenly from 0; so that frames overtake each other
	Loss      float64       // part of the frames, 0 to 1
	Duplicate float64       // part of the frames that arrive twice, 0 to 1
	Cut       bool          // nothing arrives, and nobody is told
}

func (l Link) String() string {
	if l.Cut {
		return "cut"
	}
	var s []string
	if l.Delay > 0 || l.Jitter > 0 {
		s = append(s, fmt.Sprintf("delay %v to %v", l.Delay, l.Delay+l.Jitter))
	}
	if l.Loss > 0 {
		s = append(s, fmt.Sprintf("loss %.3g %%", 100*l.Loss))
	}
	if l.Duplicate > 0 {
		s = append(s, fmt.Sprintf("double %.3g %%", 100*l.Duplicate))
	}
	if len(s) == 0 {
		return "clear"
	}
	return strings.Join(s, ", ")
}

// Event is one change of the network, or another fault that a story has told.
type Event struct {
	At   time.Time
	Text string
}

// String has the time in UTC, in milliseconds.
func (e Event) String() string { return e.At.UTC().Format("15:04:05.000") + " " + e.Text }

// hardware is the address of an Ethernet device.
type hardware [6]byte

// pair is one direction between two ports.
type pair struct{ from, to string }

// way is the state of a pair.
type way struct {
	link    Link
	random  *rand.Rand
	waiting int
}

// Switch carries frames between its ports.
type Switch struct {
	seed uint64

	mu     sync.Mutex
	ports  map[string]io.ReadWriteCloser
	learnt map[hardware]string
	ways   map[pair]*way
	events []Event
	all    sync.WaitGroup
}

// NewSwitch makes a switch whose chances come from the seed: the same frames on the same
// way meet the same fate.
func NewSwitch(seed uint64) *Switch {
	return &Switch{seed: seed, ports: map[string]io.ReadWriteCloser{}, learnt: map[hardware]string{}, ways: map[pair]*way{}}
}

// Attach adds a port. It reads one frame per Read, writes one per Write, and is closed by
// Detach or Close. The name must be new.
func (s *Switch) Attach(name string, port io.ReadWriteCloser) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ports[name] != nil {
		panic("lan: there is a port " + name + " already")
	}
	s.ports[name] = port
	s.all.Go(func() {
		buf := make([]byte, maxFrame)
		for {
			n, err := port.Read(buf)
			if err != nil {
				return
			}
			s.carry(name, buf[:n])
		}
	})
}

// Detach closes a port and forgets what was learnt of it; its links stay as they are.
func (s *Switch) Detach(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if port := s.ports[name]; port != nil {
		_ = port.Close()
		delete(s.ports, name)
	}
	for addr, at := range s.learnt {
		if at == name {
			delete(s.learnt, addr)
		}
	}
}

// Close closes all ports and waits until their goroutines have ended.
func (s *Switch) Close() {
	s.mu.Lock()
	names := make([]string, 0, len(s.ports))
	for name := range s.ports {
		names = append(names, name)
	}
	s.mu.Unlock()
	for _, name := range names {
		s.Detach(name)
	}
	s.all.Wait()
}

// Set changes one direction.
func (s *Switch) Set(from, to string, l Link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.way(from, to); w.link != l {
		w.link = l
		s.note(fmt.Sprintf("%s to %s: %v", from, to, l))
	}
}

// Between changes all directions between the ports of two groups.
func (s *Switch) Between(a, b []string, l Link) {
	for _, x := range a {
		for _, y := range b {
			if x != y {
				s.Set(x, y, l)
				s.Set(y, x, l)
			}
		}
	}
}

// Heal makes every link clear.
func (s *Switch) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	healed := 0
	for _, w := range s.ways {
		if w.link != (Link{}) {
			w.link = Link{}
			healed++
		}
	}
	if healed > 0 {
		s.note(fmt.Sprintf("healed, %d directions", healed))
	}
}

// Note logs another fault of the story beside the network's.
func (s *Switch) Note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(text)
}

func (s *Switch) note(text string) {
	s.events = append(s.events, Event{time.Now(), text})
}

// Events is the log so far.
func (s *Switch) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

func (s *Switch) way(from, to string) *way {
	w := s.ways[pair{from, to}]
	if w == nil {
		h := fnv.New64a()
		_, _ = io.WriteString(h, from+">"+to) // a hash takes everything
		w = &way{random: rand.New(rand.NewPCG(s.seed, h.Sum64()))}
		s.ways[pair{from, to}] = w
	}
	return w
}

// carry takes a frame from a port to whom it is for: to all when it is for many, or nobody
// knows where that one is.
func (s *Switch) carry(from string, frame []byte) {
	if len(frame) < 14 {
		return // no Ethernet frame
	}
	dst, src := hardware(frame[0:6]), hardware(frame[6:12])
	s.mu.Lock()
	defer s.mu.Unlock()
	if src[0]&1 == 0 {
		s.learnt[src] = from
	}
	if at, known := s.learnt[dst]; known && dst[0]&1 == 0 {
		if at != from {
			s.send(from, at, frame)
		}
		return
	}
	for to := range s.ports {
		if to != from {
			s.send(from, to, frame)
		}
	}
}

// send has one way do to a frame what it does.
func (s *Switch) send(from, to string, frame []byte) {
	w := s.way(from, to)
	l := w.link
	if l.Cut || l.Loss > 0 && w.random.Float64() < l.Loss {
		return
	}
	copies := 1
	if l.Duplicate > 0 && w.random.Float64() < l.Duplicate {
		copies = 2
	}
	for range copies {
		if l.Delay == 0 && l.Jitter == 0 {
			s.deliver(to, frame)
			continue
		}
		if w.waiting == maxQueue {
			return
		}
		w.waiting++
		later, held := l.Delay, slices.Clone(frame)
		if l.Jitter > 0 {
			later += time.Duration(w.random.Int64N(int64(l.Jitter) + 1))
		}
		time.AfterFunc(later, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			w.waiting--
			if !w.link.Cut { // a cable that is cut now holds nothing
				s.deliver(to, held)
			}
		})
	}
}

// deliver writes a frame to a port, if that is still there. A device that takes none loses
// it, as any does.
func (s *Switch) deliver(to string, frame []byte) {
	if port := s.ports[to]; port != nil {
		_, _ = port.Write(frame)
	}
}
