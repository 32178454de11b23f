package e2e

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// pause is one of the machine itself.
type pause struct {
	from, to time.Time
	without  time.Duration // how much of it is not the disk's
}

func (p pause) String() string {
	return fmt.Sprintf("%s: %d ms, %d ms with the disk", p.from.UTC().Format("15:04:05.000"), p.without.Milliseconds(), p.to.Sub(p.from).Milliseconds())
}

// during tells whether any of the pauses overlaps the time between two moments.
func during(pauses []pause, from, to time.Time) bool {
	for _, p := range pauses {
		if p.from.Before(to) && from.Before(p.to) {
			return true
		}
	}
	return false
}

// watchMachine syncs a file to the disk every 100 ms, as a witness. What it gives ends that
// and tells when that took longer than a second: then no cluster could do better.
func watchMachine(t *testing.T, name string) func() []pause {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	stop, over := make(chan struct{}), make(chan struct{})
	var list []pause
	go func() {
		defer close(over)
		for {
			began := time.Now()
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
			_, err := file.WriteAt([]byte(began.String()), 0)
			took := time.Since(began)
			if err := errors.Join(err, file.Sync()); err != nil {
				t.Errorf("the witness: %v", err)
				return
			}
			if time.Since(began) > time.Second {
				list = append(list, pause{began, time.Now(), took})
			}
		}
	}()
	end := sync.OnceFunc(func() { close(stop); <-over; _ = file.Close() })
	t.Cleanup(end)
	return func() []pause { end(); return list }
}

func TestPausesOverlap(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	list := []pause{{from: at(10), to: at(12)}, {from: at(20), to: at(22)}}
	for _, row := range []struct {
		from, to int
		want     bool
	}{{0, 9, false}, {0, 10, false}, {0, 11, true}, {11, 12, true}, {9, 30, true}, {12, 20, false}, {21, 40, true}, {22, 40, false}} {
		if got := during(list, at(row.from), at(row.to)); got != row.want {
			t.Errorf("from %d to %d: %v", row.from, row.to, got)
		}
	}
}
