package agent

import (
	"sync"

	"github.com/profferhq/proffer/kernel/link"
)

// outbox holds the calls that wait for the master. One sender takes all of them at
// a time, so that whatever waits travels in one body.
type outbox struct {
	mu     sync.Mutex
	stream uint64 // the one that calls are taken for
	calls  []*link.Call
	signal chan struct{}
}

func newOutbox() *outbox { return &outbox{signal: make(chan struct{}, 1)} }

// open drops what waits for older streams.
func (o *outbox) open(stream uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stream, o.calls = stream, nil
}

func (o *outbox) put(stream uint64, c *link.Call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if stream == o.stream {
		o.calls = append(o.calls, c)
	}
}

func (o *outbox) flush() {
	o.mu.Lock()
	some := len(o.calls) > 0
	o.mu.Unlock()
	if !some {
		return
	}
	select {
	case o.signal <- struct{}{}:
	default:
	}
}

// take gives at most limit calls of the stream; more says that others are left.
func (o *outbox) take(stream uint64, limit int) (calls []*link.Call, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if stream != o.stream {
		return nil, false
	}
	calls = o.calls
	if len(calls) > limit {
		calls, o.calls = calls[:limit:limit], calls[limit:]
		return calls, true
	}
	o.calls = nil
	return calls, false
}
