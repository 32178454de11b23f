package plants

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var score = flag.Bool("score", false, "run the hunt for every planted bug")

// plant is one planted bug, what it breaks, and the hunts for it, tried in order
// until one finds it.
type plant struct {
	tag, breaks string
	hunts       []hunt
}

// hunt is a go test of one package; with minutes, runs of the simulation of that
// length, from seed 1 on.
type hunt struct {
	pkg     string
	minutes int
}

// huntHours bounds the virtual time in which the simulation must find a plant.
const huntHours = 12

func plants() []plant {
	sim := hunt{pkg: "./e2e/sim", minutes: 30}
	only := func(h ...hunt) []hunt { return h }
	return []plant{
		// Those that the design names.
		{"plant_skip_fsync", "the agent's checkpoint forgets its fsync", only(sim)},
		{"plant_drop_term_check", "agents obey deposed leaders", only(sim)},
		{"plant_cron_from_now", "a scheduler that takes over begins with the next slot", only(sim)},
		{"plant_attach_after_exec", "a process joins its cgroups after it runs", only(hunt{pkg: "./sdk/executor"})},
		{"plant_forget_tombstone", "a task id may be used again", only(sim)},
		{"plant_count_offer_twice", "what is offered stays free", only(sim)},
		{"plant_relaunch", "a scheduler that takes over launches anew without asking", only(sim)},
		{"plant_ack_before_store", "an update is acknowledged before it is stored", only(sim)},
		{"plant_lose_decline_filter", "refusals are forgotten at once", only(sim)},
		// And more.
		{"plant_forget_fence", "an agent that restarts obeys older leaders", only(sim)},
		{"plant_forget_resend", "an update that got lost is not sent again", only(sim)},
		{"plant_end_early", "an end is told while processes live", only(sim)},
		{"plant_ignore_guard", "a scheduler of the past writes to the store", only(sim)},
		{"plant_lease_for_ever", "the lease of a dead scheduler does not run out", only(sim)},
		{"plant_forget_removed", "snapshots forget removed frameworks", only(sim)},
		{"plant_same_generation", "masters with a restored snapshot do not fence those before", only(sim)},
		{"plant_answer_for_absent", "a new leader answers for agents that are not back", only(sim)},
		{"plant_gone_before_commit", "an agent is given up before that is stored", only(sim)},
		{"plant_forget_vanished", "a process that is gone is forgotten while its executor says nothing", only(sim)},
		{"plant_stale_copy", "a scheduler takes over before all that it follows has come", only(sim)},
		{"plant_drop_refused", "what was decided is forgotten where the store has no room", only(sim)},
		{"plant_free_twice", "what a task used is given back twice", only(sim)},
		{"plant_launch_before_record", "an instance starts before it is written down", only(sim)},
		{"plant_gone_is_never", "what is gone after it ran is launched again", only(sim)},
		{"plant_skip_unsaid", "slots are skipped without a word", only(sim)},
	}
}

// TestScore prints, for each planted bug, who found it and after how long.
func TestScore(t *testing.T) {
	if !*score {
		t.Skip("builds and runs the hunts of every plant: go test ./e2e/plants -run Score -v -args -score")
	}
	begin, found, whole := time.Now(), 0, map[run]string{}
	for _, p := range plants() {
		start, by := time.Now(), ""
		for _, h := range p.hunts {
			var r run
			if by, r = h.find(t, p.tag); by == "" {
				continue
			}
			if why := r.without(t, whole); why != "" {
				t.Errorf("%-26s seed %d of %d minutes fails without it too, and so tells nothing of it: %s", p.tag, r.seed, r.minutes, why)
				by = ""
			}
			break
		}
		took := time.Since(start).Seconds()
		if by == "" {
			t.Errorf("%-26s NOT FOUND in %.0f s: %s", p.tag, took, p.breaks)
			continue
		}
		found++
		t.Logf("%-26s found in %.0f s by %s: %s", p.tag, took, by, p.breaks)
	}
	t.Logf("score: %d of %d planted bugs found, in %.0f s", found, len(plants()), time.Since(begin).Seconds())
}

// run is one of the simulation; the zero value is none.
type run struct{ seed, minutes int }

// explore are the arguments of runs from that one on, for so many virtual hours.
func (r run) explore(hours float64) []string {
	return []string{"-run", "^TestExplore$", "-args", "-seed", strconv.Itoa(r.seed), "-hours", fmt.Sprint(hours), "-minutes", strconv.Itoa(r.minutes)}
}

// find runs the hunt, and names what found the plant, and which run of the simulation that
// was; empty when nothing did.
func (h hunt) find(t *testing.T, tag string) (by string, r run) {
	if h.minutes == 0 {
		if out := failed(t, h.pkg, tag, nil); out != "" {
			return "go test " + h.pkg, r
		}
		return "", r
	}
	r = run{1, h.minutes}
	out := failed(t, h.pkg, tag, r.explore(huntHours))
	found := failure.FindStringSubmatch(out)
	if found == nil {
		if out != "" {
			t.Errorf("%s: no promise was broken, and the hunt failed:\n%s", tag, out)
		}
		return "", run{}
	}
	r.seed, _ = strconv.Atoi(found[1])
	return fmt.Sprintf("seed %d of the simulation, after %.1f virtual hours (%s)", r.seed, float64(r.seed*h.minutes)/60, found[2]), r
}

// without says why the same run fails without any plant, empty when it passes, as it must
// for what it found to be the plant. It keeps what it has seen.
func (r run) without(t *testing.T, seen map[run]string) string {
	if r.seed == 0 {
		return ""
	}
	why, ok := seen[r]
	if !ok {
		why = failed(t, "./e2e/sim", "", r.explore(float64(r.minutes)/60))
		seen[r] = why
	}
	return why
}

// failure is what the simulation says of a broken promise.
var failure = regexp.MustCompile(`(?m)^ +\S+: seed (\d+): (.{0,160})`)

// failed is the output of a test that runs and says FAIL, empty when it passes; one that
// does not build, or skips everything, is an error.
func failed(t *testing.T, pkg, tag string, args []string) string {
	cmd := exec.Command("go", append([]string{"test", "-count=1", "-v", "-vet=off", "-tags", tag, pkg}, args...)...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOGC=800") // there is memory enough, and not much time
	out, err := cmd.CombinedOutput()
	text := string(out)
	switch {
	case strings.Contains(text, "--- FAIL"):
		return text
	case err != nil:
		t.Fatalf("%s with %s does not run: %v\n%s", pkg, tag, err, text)
	case !strings.Contains(text, "--- PASS"):
		t.Fatalf("%s with %s tests nothing:\n%s", pkg, tag, text)
	}
	return ""
}
