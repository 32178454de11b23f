package link

import (
	"testing"
	"time"
)

// TestTheFirstPauseIsShort however often leaders died before: what counts is whether they
// had served the agent.
func TestTheFirstPauseIsShort(t *testing.T) {
	r := Retry{Longest: 5 * time.Second}
	for range 20 {
		if p := r.Next(3 * time.Second); p != firstPause {
			t.Fatalf("after a leader of three seconds: %v", p)
		}
	}
	if p := r.Next(0); p != firstPause*13/10 {
		t.Errorf("the second in vain: %v", p)
	}
	for range 30 {
		r.Next(settled - 1)
	}
	if p := r.Next(0); p != r.Longest {
		t.Errorf("after many in vain: %v", p)
	}
	if p := r.Next(settled); p != firstPause {
		t.Errorf("served again: %v", p)
	}
	if p := (&Retry{Longest: time.Millisecond}).Next(0); p != time.Millisecond {
		t.Errorf("longer than the longest: %v", p)
	}
}
