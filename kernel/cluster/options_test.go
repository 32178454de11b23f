package cluster

import (
	"testing"
	"time"
)

// TestHeartbeatFitsTheTimeout: however short the time-out, three heartbeats may be lost; a
// long one, as for ten thousand agents, makes them rare.
func TestHeartbeatFitsTheTimeout(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{
		0: 2500 * time.Millisecond, 10 * time.Second: 2500 * time.Millisecond, 1500 * time.Millisecond: 375 * time.Millisecond, time.Minute: 15 * time.Second,
	} {
		o := DefaultOptions()
		o.AgentTimeout = timeout
		if got := o.withDefaults().AgentHeartbeat; got != want {
			t.Errorf("a time-out of %v has a heartbeat of %v, want %v", timeout, got, want)
		}
	}
}

func TestRemovalRates(t *testing.T) {
	for text, pause := range map[string]time.Duration{
		"": 0, "1/10s": 10 * time.Second, "1/10mins": 10 * time.Minute, "20/1m": 3 * time.Second, "2/1hrs": 30 * time.Minute, "1/30secs": 30 * time.Second,
	} {
		r, err := ParseRemovalRate(text)
		if err != nil || r.pause() != pause {
			t.Errorf("%q: %v, %v", text, r.pause(), err)
		}
		if again, err := ParseRemovalRate(r.String()); err != nil || again != r {
			t.Errorf("%q is written as %q: %v", text, r, err)
		}
	}
	for _, text := range []string{"1", "0/1s", "-1/1s", "1/0s", "1/-1s", "x/1s", "1/x", "1/1s/2", "9999999999999999999/1ns", "2/1ns"} {
		if r, err := ParseRemovalRate(text); err == nil {
			t.Errorf("%q is %+v", text, r)
		}
	}
}

func FuzzParseRemovalRate(f *testing.F) {
	for _, seed := range []string{"", "1/10s", "1/10mins", "20/1m", "1/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRemovalRate(text)
		if err == nil && text != "" && r.pause() <= 0 {
			t.Errorf("%q is %+v, which is no bound", text, r)
		}
	})
}
