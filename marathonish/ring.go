package marathonish

import (
	"sync"
	"time"

	"github.com/profferhq/proffer/marathonish/event"
)

// ring keeps the last events and hands them to whoever follows.
type ring struct {
	mu      sync.Mutex
	kept    []happened // the last most at least, the oldest first
	most    int
	next    uint64 // the id of the next one
	readers map[chan event.Event]bool
	closed  bool
}

// happened is an event that is written only when somebody reads it.
type happened struct {
	id   uint64
	at   time.Time
	body event.Body
}

func (h *happened) write() event.Event {
	e := event.New(h.at, h.body)
	e.ID = h.id
	return e
}

// readerQueue is how many events a reader may be behind before it is cut off.
const readerQueue = 1024

// newRing begins with an id that no earlier marathonish has reached: none makes a
// thousand events in a millisecond.
func newRing(most int, now time.Time) *ring {
	return &ring{most: most, next: uint64(now.UnixMilli()) * 1000, readers: map[chan event.Event]bool{}}
}

func (r *ring) publish(at time.Time, body event.Body) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	h := happened{id: r.next, at: at, body: body}
	r.next++
	if len(r.kept) >= 2*r.most { // copied once in a while, and not for each event
		r.kept = append(make([]happened, 0, 2*r.most), r.kept[len(r.kept)-r.most+1:]...)
	}
	r.kept = append(r.kept, h)
	if len(r.readers) == 0 {
		return
	}
	e := h.write()
	for c := range r.readers {
		select {
		case c <- e:
		default: // too slow: it reads again from its last id
			delete(r.readers, c)
			close(c)
		}
	}
}

// subscribe follows the events after an id that are still kept, or with 0 only what
// comes.
func (r *ring) subscribe(after uint64) (<-chan event.Event, func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var old []happened
	if after > 0 {
		for i, e := range r.kept {
			if e.id > after {
				old = r.kept[i:]
				break
			}
		}
	}
	c := make(chan event.Event, len(old)+readerQueue)
	for i := range old {
		c <- old[i].write()
	}
	if r.closed {
		close(c)
		return c, func() {}
	}
	r.readers[c] = true
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.readers[c] {
			delete(r.readers, c)
			close(c)
		}
	}
}

// close ends all readers.
func (r *ring) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for c := range r.readers {
		delete(r.readers, c)
		close(c)
	}
}
