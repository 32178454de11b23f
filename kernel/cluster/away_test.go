package cluster

import (
	"testing"
	"time"
	"unsafe"
)

// set is at as a clock tells it that was put ahead by that much since: what has passed is
// told by the other reading in it, which nobody can put.
func set(at time.Time, ahead time.Duration) time.Time {
	const secondBits = 30 // below them are the nanoseconds of the second
	*(*uint64)(unsafe.Pointer(&at)) += uint64(int64(ahead/time.Second)) << secondBits
	return at
}

// TestDeadlineOutlivesAClockThatIsSet: an operator corrects the leader's clock by five hours
// while a framework is away. The next leader gives it the time that it had left.
func TestDeadlineOutlivesAClockThatIsSet(t *testing.T) {
	start := time.Now()
	if later := set(start, 5*time.Hour); later.Sub(start) != 0 || later.UnixNano()-start.UnixNano() != int64(5*time.Hour) {
		t.Fatalf("a clock that is set by 5h tells of %v passed, and is ahead by %v", later.Sub(start), time.Duration(later.UnixNano()-start.UnixNano()))
	}
	for _, ahead := range []time.Duration{5 * time.Hour, -5 * time.Hour} {
		w := newWorld()
		w.now = start
		for _, line := range []string{"elect", "subscribe f1 timeout=14400", "close f1", "advance 30m"} {
			if err := w.do(line); err != nil {
				t.Fatal(err)
			}
		}
		w.now = set(w.now.Add(20*time.Minute), ahead)
		w.settle()
		var left time.Duration
		for _, r := range w.reg.Frameworks() {
			left = time.Duration(r.Deadline - r.Since)
		}
		// It is written down every 24 minutes, so just now.
		if want := 4*time.Hour - 50*time.Minute; left < want || left > want+5*time.Minute {
			t.Errorf("the clock was put ahead by %v: the registry gives %v, and there are %v", ahead, left, want)
		}
	}
}
