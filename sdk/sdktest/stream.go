package sdktest

import (
	"net/http"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk/wire"
)

// stream is one open answer: the kernel appends events, the connection's
// goroutine writes them.
type stream struct {
	wake  chan struct{}
	every time.Duration // pulse pushes something when nothing else was for so long
	pulse func()        // zero for never: a scheduler's heartbeats come from the mind

	mu    sync.Mutex
	queue []any
	ended bool
}

func newStream() *stream { return &stream{wake: make(chan struct{}, 1)} }

func (s *stream) push(event any) {
	s.mu.Lock()
	if !s.ended {
		s.queue = append(s.queue, event)
	}
	s.mu.Unlock()
	s.signal()
}

// end ends the stream after what is queued.
func (s *stream) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.signal()
}

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// serve writes the stream until it ends or the client is gone.
func (s *stream) serve(w http.ResponseWriter, r *http.Request, enc wire.Encoding) {
	w.Header().Set("Content-Type", enc.ContentType())
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w)
	_ = flush.Flush()
	for {
		s.mu.Lock()
		events, ended := s.queue, s.ended
		s.queue = nil
		s.mu.Unlock()
		for _, event := range events {
			data, err := wire.Marshal(enc, event)
			if err != nil {
				panic("sdktest: an event cannot be written: " + err.Error())
			}
			if _, err := w.Write(wire.AppendRecord(nil, data)); err != nil {
				return
			}
		}
		_ = flush.Flush()
		if ended {
			return
		}
		var late <-chan time.Time
		if s.every > 0 {
			late = time.After(s.every)
		}
		select {
		case <-s.wake:
		case <-late:
			s.pulse()
		case <-r.Context().Done():
			return
		}
	}
}
