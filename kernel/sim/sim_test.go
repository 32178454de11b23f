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

// TestRebirthIsTheProducts looks for a run in which all masters are replaced: the fence of
// those that follow is what kernel/consensus would make of it.
func TestRebirthIsTheProducts(t *testing.T) {
	for seed := uint64(6); seed < 100; seed++ {
		opt, born := DefaultOptions(seed), 0
		opt.Length = 5 * time.Minute
		opt.Watch = func(line string) {
			var generation, term int64
			if _, leader, ok := strings.Cut(line, " is leader "); ok {
				if _, err := fmt.Sscanf(leader, "%d/%d", &generation, &term); err != nil {
					t.Errorf("%q: %v", line, err)
				}
				if generation > 1 && generation < 1_700_000_000-60 { // when the virtual time begins
					t.Errorf("the generation after a restore is no time: %q", line)
				}
				born = max(born, int(generation))
			}
		}
		if r := Run(opt); r.Err != nil {
			t.Fatalf("seed %d: %v", seed, r.Err)
		}
		if born > 1 {
			return
		}
	}
	t.Error("the masters were never replaced")
}
