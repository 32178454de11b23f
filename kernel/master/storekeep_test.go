package master

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// ticking is a keeping of one lease of ten seconds, which is looked at by hand.
type ticking struct {
	*keeping
	t     *testing.T
	now   time.Time
	again time.Duration
}

func newTicking(t *testing.T) *ticking {
	t.Helper()
	s := store.New()
	s.Apply(1, store.Command{Version: 1, Type: store.CommandGrant, Space: store.Space{Name: "s"}, Grant: &store.Grant{TTL: int64(10 * time.Second)}})
	now := time.Unix(1000, 0)
	return &ticking{t: t, now: now, keeping: newKeeping(now, s, slog.New(slog.DiscardHandler), newMetrics(), nil)}
}

// pass looks again and again for so long, as run does; what ended then.
func (k *ticking) pass(d time.Duration) string {
	var ended []string
	for end := k.now.Add(d); k.now.Before(end); k.now = k.now.Add(k.again) {
		var ends []store.Command
		ends, _, k.again = k.due(k.now)
		for _, c := range ends {
			ended = append(ended, c.Revoke.Lease)
		}
		if k.again > lookEvery {
			k.t.Fatalf("looks again in %v only", k.again)
		}
	}
	return strings.Join(ended, " ")
}

// While a master stands still nobody else leads, and no lease ends: what it counts goes on
// where it was, whenever in the life of the lease that was, again and again.
func TestLeasesOutliveAMasterThatStoodStill(t *testing.T) {
	for _, at := range []time.Duration{time.Second, 5 * time.Second, 8 * time.Second} {
		k := newTicking(t)
		if ended := k.pass(at); ended != "" {
			t.Fatalf("%v: %s ended", at, ended)
		}
		for range 3 {
			k.now = k.now.Add(20 * time.Second)
			if ended := k.pass(lookEvery / 2); ended != "" {
				t.Errorf("%v: %s ended when the master went on", at, ended)
			}
		}
		// It ends in its time all the same: nobody keeps it alive.
		if ended := k.pass(10*time.Second + 2*lookEvery); ended != "1" {
			t.Errorf("%v: ended %q", at, ended)
		}
	}
}

// After the end of a term its keeper keeps nothing alive: the call asks the next one.
func TestKeepAliveAfterTheTermIsRefused(t *testing.T) {
	k := newTicking(t)
	if _, _, err := k.keepAlive(store.Space{Name: "s"}, "1"); err != nil {
		t.Fatal(err)
	}
	k.end()
	if _, _, err := k.keepAlive(store.Space{Name: "s"}, "1"); err == nil || err.Code != sdk.CodeUnavailable {
		t.Errorf("after the end: %v", err)
	}
}
