package marathonish

import (
	"sync"
	"time"

	"github.com/profferhq/proffer/marathonish/event"
)

// ring keeps the last events and hands them to whoever follows.
type ring struct {
	mu      sync.Mutex
	kept    []event.Event // at most most, the oldest first
	most    int
	next    uint64 // the id of the next one
	readers map[chan event.Event]bool
	closed  bool
}

// readerQueue is how many events a reader may be behind before it is cut off.
const readerQueue = 1024

// newRing begins with an id that no earlier marathonish has reached: none makes a
// thousand events in a millisecond.
func newRing(most int, now time.Time) *ring {
	return &ring{most: most, next: uint64(now.UnixMilli()) * 1000, readers: map[chan event.Event]bool{}}
}

func (r *ring) publish(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	e.ID = r.next
	r.next++
	if len(r.kept) >= 2*r.most { // copied once in a while, and not for each event
		r.kept = append(make([]event.Event, 0, 2*r.most), r.kept[len(r.kept)-r.most+1:]...)
	}
	r.kept = append(r.kept, e)
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
	var old []event.Event
	if after > 0 {
		for i, e := range r.kept {
			if e.ID > after {
				old = r.kept[i:]
				break
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
