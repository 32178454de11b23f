package mind_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// TestMarket: whoever steps at each Due has a revive after everything fresh, at most one
// in a gap, and is suppressed as soon as nothing is due.
func TestMarket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m mind.Market
		now, open, due, fresh, revived := time.Unix(1e9, 0), false, false, false, time.Time{}
		trade := func() {
			switch e := m.Trade(now, "r", due, fresh).(type) {
			case mind.Revive:
				if !due || !fresh && open || now.Before(revived.Add(mind.ReviveGap)) || e.Role != "r" {
					t.Fatalf("%+v at %v: due %v, fresh %v, open %v, the last at %v", e, now, due, fresh, open, revived)
				}
				open, fresh, revived = true, false, now
			case mind.Suppress:
				if due || !open || e.Role != "r" {
					t.Fatalf("%+v: due %v, open %v", e, due, open)
				}
				open = false
			default:
				if !due && open || due && (fresh || !open) && !m.Due().After(now) {
					t.Fatalf("nothing is said: due %v, fresh %v, open %v, again at %v", due, fresh, open, m.Due())
				}
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if at := m.Due(); !at.IsZero() && rapid.Bool().Draw(t, "wait") {
				now = at
			} else {
				now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "ms")) * time.Millisecond)
				if due = rapid.IntRange(0, 3).Draw(t, "due") > 0; due {
					fresh = fresh || rapid.Bool().Draw(t, "fresh")
				} else {
					fresh = false
				}
			}
			trade()
		}
	})
}

// TestOrphans: each is killed once, again after a while and in the next subscription, until
// its end.
func TestOrphans(t *testing.T) {
	var o mind.Orphans
	now := time.Unix(1e9, 0)
	reaps := func(want ...sdk.TaskID) {
		t.Helper()
		var got []sdk.TaskID
		for _, k := range o.Reap(now, time.Second) {
			got = append(got, k.Task)
		}
		if !slices.Equal(got, want) {
			t.Errorf("kills %v, want %v", got, want)
		}
	}
	reaps()
	if !o.Due(time.Second).IsZero() || !o.Add("b", "agent") || !o.Add("a", "agent") || o.Add("a", "agent") {
		t.Error("what is known is wrong at first")
	}
	reaps("a", "b")
	reaps()
	if at := o.Due(time.Second); !at.Equal(now.Add(time.Second)) {
		t.Errorf("due at %v", at)
	}
	now = now.Add(time.Second)
	reaps("a", "b")
	if !o.Remove("a") || o.Remove("a") {
		t.Error("what is known is wrong at the end")
	}
	o.Subscribed()
	reaps("b")
}
