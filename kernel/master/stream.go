package master

import (
	"context"
	"sync"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
)

// streamKind says what a stream carries.
type streamKind string

const (
	schedulerStream streamKind = "scheduler"
	agentStream     streamKind = "agent"
	operatorStream  streamKind = "operator"
	storeStream     streamKind = "store"
)

// stream is one open answer: the leader's loop appends events, the goroutine of
// the connection encodes and writes them.
type stream struct {
	session cluster.Session
	kind    streamKind
	token   credential.Claims   // of a framework in a task: the stream ends with the task
	agent   sdk.AgentID         // of an agent, once it is known; the loop's
	opened  func() (end func()) // begins what goes on beside it, when the mind knows it; nil for nothing

	wake  chan struct{} // one waiting signal at most
	every time.Duration // in which pulse puts something; zero for never
	pulse func()
	most  int // bytes of keys and values that may wait; zero without a bound

	mu     sync.Mutex
	queue  []any     // events: *sdk.Event, *link.Event, *sdk.OperatorEvent or *sdk.StoreEvent
	since  time.Time // when the oldest of queue was put
	bytes  int       // of keys and values in queue, where there is a bound
	limit  int
	slow   time.Duration // how old the oldest may be where the queue is over its limit
	ended  bool          // nothing more comes; the writer ends after what is queued
	reason string        // why, for the log; empty for the ordinary end
}

// Over its limit a queue is not yet a slow reader's: the answer to one call can be larger,
// such as a reconciliation of 100,000 tasks, and the writer had no turn in between. A reader
// that was dropped over its own question would ask again, for ever.
const (
	slowReader = 5 * time.Second // without taking anything
	burst      = 16              // limits, beyond which nobody waits
)

func newStream(kind streamKind, session cluster.Session, limit int) *stream {
	return &stream{session: session, kind: kind, limit: limit, slow: slowReader, wake: make(chan struct{}, 1)}
}

// put appends an event; false when the reader is too slow and the stream ended
// for that. The writer is woken by flush.
func (s *stream) put(event any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return true
	}
	if s.most > 0 {
		s.bytes += weight(event)
	}
	n := len(s.queue)
	if s.bytes > s.most || n >= burst*s.limit || n >= s.limit && time.Since(s.since) > s.slow {
		s.queue, s.ended, s.reason = nil, true, "its reader is too slow"
		return false
	}
	if n == 0 {
		s.since = time.Now()
	}
	s.queue = append(s.queue, event)
	return true
}

// weight is how many bytes of keys and values an event holds.
func weight(event any) (n int) {
	if e, ok := event.(*sdk.StoreEvent); ok {
		for i := range e.Changes {
			n += len(e.Changes[i].KV.Key) + len(e.Changes[i].KV.Value)
		}
	}
	return n
}

// end lets the stream end after what is queued.
func (s *stream) end(reason string) {
	s.mu.Lock()
	if !s.ended {
		s.ended, s.reason = true, reason
	}
	s.mu.Unlock()
	s.flush()
}

// flush wakes the writer.
func (s *stream) flush() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take waits until something is queued and takes all of it, into buf's memory.
// When beat comes meanwhile, pulse puts something; over says that nothing follows.
func (s *stream) take(ctx context.Context, beat <-chan time.Time, buf []any) (events []any, over bool) {
	for {
		s.mu.Lock()
		events = append(buf[:0], s.queue...)
		clear(s.queue)
		s.queue, s.bytes, over = s.queue[:0], 0, s.ended
		s.mu.Unlock()
		if len(events) > 0 || over {
			return events, over
		}
		select {
		case <-s.wake:
		case <-beat:
			s.pulse()
		case <-ctx.Done():
			return nil, true
		}
	}
}

// why is the reason of an extraordinary end.
func (s *stream) why() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}
