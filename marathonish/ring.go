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
// comes. The many old ones are written without the lock: the mind publishes meanwhile.
func (r *ring) subscribe(after uint64) (<-chan event.Event, func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var old []event.Event
	if after > 0 {
		for _, pass := range []bool{false, true} {
			list := r.since(after)
			if !pass {
				r.mu.Unlock()
			}
			for i := range list {
				old = append(old, list[i].write())
				after = list[i].id
			}
			if !pass {
				r.mu.Lock()
			}
		}
	}
	c := make(chan event.Event, len(old)+readerQueue)
	for _, e := range old {
		c <- e
	}
	if r.closed {
		close(c)
		return c, func() {}
	}
	r.readers[c] = true
	return c, func() { r.leave(c) }
}

// since are the kept ones after an id. What is kept is never changed, only left
// behind, so it may be read without the lock.
func (r *ring) since(after uint64) []happened {
	for i := range r.kept {
		if r.kept[i].id > after {
			return r.kept[i:]
		}
	}
	return nil
}

func (r *ring) leave(c chan event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.readers[c] {
		delete(r.readers, c)
		close(c)
	}
}

// close ends all readers, and takes no others.
func (r *ring) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.drop()
}

// drop ends those who read now: what comes next is another marathonish's.
func (r *ring) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.readers {
		delete(r.readers, c)
		close(c)
	}
}
