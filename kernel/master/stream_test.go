package master

import (
	"testing"
	"testing/synctest"
	"time"
)

// A burst is not a slow reader: what comes at once may be far over the limit, and is taken.
// A queue that stays over it, or grows without bound, ends the stream.
func TestABurstIsNotASlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 10
		fill := func(s *stream, n int) bool {
			for range n {
				if !s.put(0) {
					return false
				}
			}
			return true
		}
		s := newStream(schedulerStream, "burst", limit)
		for range 3 {
			if !fill(s, 10*limit) {
				t.Fatal("a burst was taken for a slow reader")
			}
			<-time.After(time.Hour) // synctest
			if events, over := s.take(t.Context(), nil, nil); len(events) != 10*limit || over {
				t.Fatalf("%d events, over: %v", len(events), over)
			}
		}
		fill(s, limit-1)
		<-time.After(time.Hour) // synctest: below the limit nobody is in a hurry
		if !s.put(0) {
			t.Error("dropped below the limit")
		}
		if s.put(0) || s.why() == "" {
			t.Error("over the limit for an hour, and not dropped")
		}
		if s := newStream(schedulerStream, "flood", limit); fill(s, burst*limit+1) {
			t.Error("a queue without bound")
		}
	})
}
