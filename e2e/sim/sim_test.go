package sim

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/sim"
)

var (
	seed    = flag.Uint64("seed", 0, "replay the run of this seed; where to begin with -hours")
	minutes = flag.Int("minutes", 60, "virtual minutes of a run")
	watch   = flag.Bool("watch", false, "print all that happens in the replayed run")
	hours   = flag.Float64("hours", 0, "explore for so many virtual hours")
	workers = flag.Int("workers", 2, "runs at a time")
)

// TestReplay replays one run: go test ./e2e/sim -run Replay -args -seed N -minutes M.
func TestReplay(t *testing.T) {
	if *seed == 0 || *hours > 0 {
		t.Skip("no -seed given")
	}
	check(t, *seed, time.Duration(*minutes)*time.Minute, 1)
}

// TestSim runs some seeds, every other one twice, and compares the runs.
func TestSim(t *testing.T) {
	seeds, length := uint64(2), 6*time.Minute
	if os.Getenv("PROFFER_SOAK") != "" {
		seeds, length = 60, time.Hour
	}
	for s := uint64(1); s <= seeds; s++ {
		r := check(t, s, length, 4)
		if s%2 == 0 {
			continue
		}
		if again := check(t, s, length, 8); again.Trace != r.Trace {
			t.Errorf("seed %d: two runs differ", s)
		}
	}
}

// TestExplore runs seeds until so many hours have passed in them, or one fails.
func TestExplore(t *testing.T) {
	if *hours == 0 {
		t.Skip("no -hours given")
	}
	begin, length := time.Now(), time.Duration(*minutes)*time.Minute
	var mu sync.Mutex
	next, left, done := max(*seed, 1), time.Duration(*hours*float64(time.Hour)), time.Duration(0)
	take := func() (uint64, bool) {
		mu.Lock()
		defer mu.Unlock()
		if left <= 0 || t.Failed() {
			return 0, false
		}
		left -= length
		next++
		return next - 1, true
	}
	var running sync.WaitGroup
	for range *workers {
		running.Go(func() {
			for s, ok := take(); ok; s, ok = take() {
				r := sim.Run(options(s, length, 16))
				mu.Lock()
				if r.Err != nil {
					t.Error(report(s, length, r))
				} else if err := dense(length, r); err != nil {
					t.Errorf("thin: seed %d: %v", s, err)
				}
				done += length
				fmt.Printf("seed %d: %v; %.1f hours, %.2f an hour of wall clock's minute\n", s, r, done.Hours(), done.Hours()/time.Since(begin).Minutes())
				mu.Unlock()
			}
		})
	}
	running.Wait()
}

func options(seed uint64, length time.Duration, checkEvery int) sim.Options {
	opt := Options(seed)
	opt.Length, opt.CheckEvery = length, checkEvery
	return opt
}

// report is a failed run for people.
func report(seed uint64, length time.Duration, r sim.Result) string {
	return fmt.Sprintf("seed %d: %v\nreplay: make sim SEED=%d MINUTES=%d\n%s", seed, r.Err, seed, length/time.Minute, strings.Join(r.Last, "\n"))
}

func check(t *testing.T, seed uint64, length time.Duration, checkEvery int) sim.Result {
	t.Helper()
	opt := options(seed, length, checkEvery)
	if *watch {
		opt.Watch = func(line string) { fmt.Println(line) }
	}
	r := sim.Run(opt)
	t.Logf("seed %d: %v", seed, r)
	if r.Err != nil {
		t.Fatal(report(seed, length, r))
	}
	if err := dense(length, r); err != nil {
		t.Errorf("thin: seed %d: %v", seed, err)
	}
	return r
}

// dense tells of a run that passes but in which too little has happened for that to mean
// anything: each hour needs 10,000 operations and 200 faults.
func dense(length time.Duration, r sim.Result) error {
	if hours := length.Hours(); float64(r.Operations) < 10000*hours || float64(r.Faults) < 200*hours {
		return fmt.Errorf("only %d operations and %d faults in %v", r.Operations, r.Faults, length)
	}
	return nil
}

func TestDense(t *testing.T) {
	for _, row := range []struct {
		operations, faults int
		good               bool
	}{{5000, 100, true}, {4999, 100, false}, {5000, 99, false}, {0, 0, false}} {
		if err := dense(30*time.Minute, sim.Result{Operations: row.operations, Faults: row.faults}); (err == nil) != row.good {
			t.Errorf("%+v: %v", row, err)
		}
	}
}
