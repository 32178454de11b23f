package mind

import (
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// TestAbsent: what is said of an absence at some time of this mind, and for how long the
// agent counts as unreachable afterwards.
func TestAbsent(t *testing.T) {
	type word struct {
		at     time.Duration // by this mind's clock
		stamp  time.Duration // the status's time, by a master's
		lost   time.Duration // since when the agent is unreachable, by a master's
		absent bool
		length time.Duration // how long, from then on
		same   bool          // and nothing is to be stored
	}
	const h, s = time.Hour, time.Second
	for name, words := range map[string][]word{
		"all clocks agree":                   {{at: 10 * s, stamp: 10 * s, lost: 9 * s, absent: true}, {at: 20 * s, stamp: 20 * s, lost: 9 * s, absent: true, length: 10 * s, same: true}},
		"the leader is ahead":                {{at: 10 * s, stamp: 5 * h, lost: 5*h - s, absent: true}, {at: 20 * s, stamp: 5*h + 10*s, lost: 5*h - s, absent: true, length: 10 * s, same: true}},
		"the leader is behind":               {{at: 5 * h, stamp: 10 * s, lost: 9 * s, absent: true}, {at: 5*h + 10*s, stamp: 20 * s, lost: 9 * s, absent: true, length: 10 * s, same: true}},
		"another leads, who is ahead":        {{at: 10 * s, stamp: 10 * s, lost: 9 * s, absent: true}, {at: 20 * s, stamp: 5 * h, lost: 9 * s, absent: true, length: 10 * s, same: true}},
		"another leads, who is behind":       {{at: 5 * h, stamp: 5 * h, lost: 5 * h, absent: true}, {at: 5*h + 10*s, stamp: 10 * s, lost: 5 * h, absent: true, length: 10 * s, same: true}},
		"it was there meanwhile":             {{at: 10 * s, stamp: 10 * s, lost: 10 * s, absent: true}, {at: 20 * s, stamp: 20 * s}, {at: 30 * s, stamp: 30 * s, lost: 30 * s, absent: true}},
		"it was there, and nobody told":      {{at: 10 * s, stamp: 10 * s, lost: 10 * s, absent: true}, {at: 30 * s, stamp: 30 * s, lost: 29 * s, absent: true}},
		"so it was, and the clock was set":   {{at: 5 * h, stamp: 5 * h, lost: 5 * h, absent: true}, {at: 5*h + 10*s, stamp: 10 * s, lost: 9 * s, absent: true}},
		"a master tells no times":            {{at: 10 * s, absent: true, lost: -1}, {at: 20 * s, absent: true, lost: -1, length: 10 * s, same: true}},
		"it is there, and that is no news":   {{at: 10 * s, stamp: 10 * s, same: true}, {at: 20 * s, stamp: 20 * s, same: true}},
		"what is heard late was not counted": {{at: 60 * s, stamp: 60 * s, lost: 9 * s, absent: true}, {at: 61 * s, stamp: 61 * s, lost: 9 * s, absent: true, length: s, same: true}},
	} {
		var since time.Time
		var mark int64
		for i, x := range words {
			now := time.Unix(1700000000, 0).Add(x.at)
			st := sdk.TaskStatus{State: sdk.TaskRunning, Timestamp: float64(x.stamp / time.Second)}
			if x.absent {
				st.State = sdk.TaskUnreachable
			}
			if x.stamp > 0 {
				st.Timestamp += 1700000000
			}
			if x.absent && x.lost >= 0 {
				st.UnreachableTime = &sdk.TimeInfo{Nanoseconds: time.Unix(1700000000, 0).Add(x.lost).UnixNano()}
			}
			changed := Absent(now, &st, &since, &mark)
			if since.IsZero() == x.absent || x.absent && now.Sub(since) != x.length || changed == x.same || since.IsZero() && mark != 0 {
				t.Errorf("%s, word %d: unreachable since %v, for %v, changed %t", name, i, since, now.Sub(since), changed)
			}
		}
	}
}

// TestWithin: what another clock dates lies between what it followed and now.
func TestWithin(t *testing.T) {
	now := time.Now()
	staged := now.Add(-time.Minute).Round(0)
	for at, want := range map[time.Duration]time.Duration{
		-5 * time.Hour: -time.Minute, -30 * time.Second: -30 * time.Second, 5 * time.Hour: 0,
	} {
		if got := Within(now.Add(at).Round(0), staged, now).Sub(now); got != want {
			t.Errorf("%v from now is taken for %v from now, not for %v", at, got, want)
		}
	}
	if got := Within(now, now.Add(time.Hour), now); !got.Equal(now) {
		t.Errorf("what followed something that is still to come is %v from now", got.Sub(now))
	}
}
