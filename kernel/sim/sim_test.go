package sim

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var (
	seed    = flag.Uint64("seed", 0, "replay the run of this seed")
	minutes = flag.Int("minutes", 60, "virtual minutes of the replayed run")
	watch   = flag.Bool("watch", false, "print all that happens in the replayed run")
)

// TestReplay replays one run: go test ./kernel/sim -run Replay -seed N -minutes M.
func TestReplay(t *testing.T) {
	if *seed == 0 {
		t.Skip("no -seed given")
	}
	check(t, *seed, time.Duration(*minutes)*time.Minute)
}

// TestSim runs some seeds, the first one twice, and compares the runs.
func TestSim(t *testing.T) {
	seeds, length := uint64(2), 6*time.Minute
	if os.Getenv("PROFFER_SOAK") != "" {
		seeds, length = 60, time.Hour
	}
	for s := uint64(1); s <= seeds; s++ {
		r := check(t, s, length)
		if s == 1 {
			if again := check(t, s, length); again.Trace != r.Trace {
				t.Errorf("seed %d: two runs differ", s)
			}
		}
	}
}

func check(t *testing.T, seed uint64, length time.Duration) Result {
	t.Helper()
	opt := DefaultOptions(seed)
	opt.Length = length
	if *watch {
		opt.Watch = func(line string) { fmt.Println(line) }
	}
	r := Run(opt)
	t.Logf("seed %d: %v", seed, r)
	if r.Err != nil {
		t.Fatalf("seed %d: %v\nreplay: go test ./kernel/sim -run Replay -seed %d -minutes %d\n%s", seed, r.Err, seed, length/time.Minute, strings.Join(r.Last, "\n"))
	}
	hours := length.Hours()
	if float64(r.Operations) < 10000*hours || float64(r.Faults) < 200*hours {
		t.Errorf("seed %d: only %d operations and %d faults in %v", seed, r.Operations, r.Faults, length)
	}
	return r
}
