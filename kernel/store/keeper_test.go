package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
)

// A Keeper ends exactly those leases that were not kept alive for their
// time-to-live, and those of ended tasks, each once, and Due never lets one wait. Time for
// which it stood still does not count.
func TestKeeperIsLikeItsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(0, 0)
		id := Space{Name: "s"}
		k := NewKeeper(now, nil)
		until := map[string]time.Time{} // of those that neither ended nor are about to
		ttl, task := map[string]time.Duration{}, map[string]sdk.TaskID{}
		ended := func(cmds []Command) string {
			var ids []string
			for _, c := range cmds {
				ids = append(ids, c.Revoke.Lease)
			}
			slices.Sort(ids)
			return strings.Join(ids, " ")
		}
		n := 0
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			pick := fmt.Sprint(rapid.IntRange(0, n).Draw(t, "lease"))
			switch rapid.IntRange(0, 6).Draw(t, "step") {
			case 0:
				n++
				l := Lease{ID: fmt.Sprint(n), Space: id, TTL: time.Duration(rapid.IntRange(1, 20).Draw(t, "ttl")) * time.Second}
				if rapid.Bool().Draw(t, "bound") {
					l.FrameworkID, l.TaskID = "f", sdk.TaskID(fmt.Sprint("t", rapid.IntRange(0, 2).Draw(t, "task")))
				}
				k.Granted(now, l)
				until[l.ID], ttl[l.ID], task[l.ID] = now.Add(l.TTL), l.TTL, l.TaskID
			case 1:
				_, err := k.KeepAlive(now, id, pick)
				if _, lives := until[pick]; lives != (err == nil) {
					t.Fatalf("keep %s alive: %v, it lives: %v", pick, err, lives)
				} else if lives {
					until[pick] = now.Add(ttl[pick])
				}
			case 2:
				k.Ended(id, pick)
				delete(until, pick)
			case 4:
				lag := time.Duration(rapid.IntRange(0, 30).Draw(t, "lag")) * time.Second
				now = now.Add(lag)
				k.Pardon(now, lag)
				for lease, at := range until {
					if until[lease] = at.Add(lag); until[lease].After(now.Add(ttl[lease])) {
						until[lease] = now.Add(ttl[lease])
					}
				}
			case 3:
				var want []string
				for lease := range until {
					if task[lease] == "t1" {
						want = append(want, lease)
					}
				}
				slices.Sort(want)
				for _, lease := range want {
					delete(until, lease)
				}
				if got := ended(k.TaskEnded("f", "t1")); got != strings.Join(want, " ") {
					t.Fatalf("the task's end ended %q, want %q", got, want)
				}
			default:
				now = now.Add(time.Duration(rapid.IntRange(0, 8).Draw(t, "time")) * time.Second)
				var want []string
				for lease, at := range until {
					if !at.After(now) {
						want = append(want, lease)
					}
				}
				slices.Sort(want)
				for _, lease := range want {
					delete(until, lease)
				}
				if got := ended(k.Expired(now)); got != strings.Join(want, " ") {
					t.Fatalf("at %v expired %q, want %q", now, got, want)
				}
			}
			due, ok := k.Due()
			for lease, at := range until {
				if !ok || due.After(at) {
					t.Fatalf("%s is due at %v, Due says %v %v", lease, at, due, ok)
				}
			}
		}
	})
}

// A new leader gives every lease its whole time again.
func TestKeeperOfANewLeaderBeginsAnew(t *testing.T) {
	s := New()
	for i := range 3 {
		s.Apply(uint64(i+1), Command{Version: 1, Type: CommandGrant, Space: Space{Name: "s"}, Grant: &Grant{TTL: int64(10 * time.Second)}})
	}
	elected := time.Unix(1000, 0)
	k := NewKeeper(elected, s.Leases())
	if got := k.Expired(elected.Add(10*time.Second - 1)); len(got) != 0 {
		t.Errorf("too early: %v", got)
	}
	if got := k.Expired(elected.Add(10 * time.Second)); len(got) != 3 {
		t.Errorf("expired %v, want all three", got)
	}
	if got := maps.Keys(k.leases); len(slices.Collect(got)) != 3 {
		t.Error("a lease is forgotten before its end is decided")
	}
}
