package marathonish

import (
	"testing"
	"time"

	"github.com/profferhq/proffer/marathonish/event"
)

// TestRing: readers get what is kept after an id, each event once and in order; the
// oldest are let go; one that is too slow is cut off.
func TestRing(t *testing.T) {
	at := time.UnixMilli(1)
	r := newRing(10, at)
	first := r.next
	for range 35 {
		r.publish(at, event.SchedulerDisconnected{})
	}
	if n := len(r.kept); n < 10 || n > 20 {
		t.Errorf("%d are kept, at least 10 and at most 20 shall be", n)
	}
	events, cancel := r.subscribe(first + 30)
	for want := first + 31; want < first+35; want++ {
		if e := <-events; e.ID != want {
			t.Fatalf("got %d, wanted %d", e.ID, want)
		}
	}
	r.publish(at, event.Gap{First: 1})
	if e := <-events; e.ID != first+35 || e.Type != "gap" {
		t.Errorf("got %+v", e)
	}
	cancel()
	cancel() // twice does no harm
	if _, open := <-events; open {
		t.Error("cancelled, and goes on")
	}
	old, stop := r.subscribe(first) // before the oldest: what there is
	defer stop()
	if e := <-old; e.ID <= first || e.ID != r.kept[0].id {
		t.Errorf("got %d, the oldest is %d", e.ID, r.kept[0].id)
	}
	slow, stop := r.subscribe(0)
	defer stop()
	for range readerQueue + 1 {
		r.publish(at, event.Gap{})
	}
	n := 0
	for range slow {
		n++
	}
	if n != readerQueue {
		t.Errorf("the slow one got %d, and then the end", n)
	}
	last, _ := r.subscribe(0)
	r.close()
	if _, open := <-last; open {
		t.Error("closed, and goes on")
	}
	if late, _ := r.subscribe(0); late == nil {
		t.Error("no channel")
	} else if _, open := <-late; open {
		t.Error("subscribed after the end")
	}
}

// TestRingsFollowEachOther: a later marathonish's ids are higher.
func TestRingsFollowEachOther(t *testing.T) {
	a, b := newRing(1, time.UnixMilli(1000)), newRing(1, time.UnixMilli(1001))
	if a.next >= b.next {
		t.Errorf("%d, then %d", a.next, b.next)
	}
}
