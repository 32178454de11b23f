package plants

import (
	"flag"
	"os/exec"
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

// hunt is a go test of one package; with seeds, one run of the simulation each.
type hunt struct {
	pkg   string
	args  []string
	seeds int
}

func plants() []plant {
	sim := hunt{pkg: "./kernel/sim", args: []string{"-run", "^TestReplay$", "-args", "-minutes", "10"}, seeds: 20}
	return []plant{
		{"plant_skip_fsync", "the agent's checkpoint forgets its fsync", []hunt{sim}},
		{"plant_drop_term_check", "agents obey deposed leaders", []hunt{sim}},
		{"plant_forget_tombstone", "a task id may be used again", []hunt{sim}},
		{"plant_ack_before_store", "an update is acknowledged before it is stored", []hunt{sim}},
		{"plant_count_offer_twice", "what is offered stays free", []hunt{sim}},
		{"plant_lose_decline_filter", "refusals are forgotten at once", []hunt{sim}},
		{"plant_attach_after_exec", "a process joins its cgroups after it runs", []hunt{{pkg: "./sdk/executor"}}},
	}
}

// TestScore prints, for each planted bug, who found it and after how long.
func TestScore(t *testing.T) {
	if !*score {
		t.Skip("builds and runs the hunts of every plant: go test ./e2e/plants -run Score -v -args -score")
	}
	found := 0
	for _, p := range plants() {
		begin := time.Now()
		by := ""
		for _, h := range p.hunts {
			if by = h.find(t, p.tag); by != "" {
				break
			}
		}
		took := time.Since(begin)
		if by == "" {
			t.Errorf("%-28s NOT FOUND in %.4f hours: %s", p.tag, took.Hours(), p.breaks)
			continue
		}
		found++
		t.Logf("%-28s found in %.4f hours by %s: %s", p.tag, took.Hours(), by, p.breaks)
	}
	t.Logf("score: %d of %d planted bugs found", found, len(plants()))
}

// find runs the hunt, and names what found the plant; empty when nothing did.
func (h hunt) find(t *testing.T, tag string) string {
	if h.seeds == 0 {
		if failed(t, h.pkg, tag, h.args) {
			return "go test " + h.pkg
		}
		return ""
	}
	for seed := 1; seed <= h.seeds; seed++ {
		if failed(t, h.pkg, tag, append(append([]string(nil), h.args...), "-seed", strconv.Itoa(seed))) {
			return h.pkg + " seed " + strconv.Itoa(seed)
		}
	}
	return ""
}

// failed tells whether a test that runs says FAIL; one that does not build, or
// skips everything, is an error.
func failed(t *testing.T, pkg, tag string, args []string) bool {
	cmd := exec.Command("go", append([]string{"test", "-count=1", "-v", "-tags", tag, pkg}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	text := string(out)
	switch {
	case strings.Contains(text, "--- FAIL"):
		return true
	case err != nil:
		t.Fatalf("%s with %s does not run: %v\n%s", pkg, tag, err, text)
	case !strings.Contains(text, "--- PASS"):
		t.Fatalf("%s with %s tests nothing:\n%s", pkg, tag, text)
	}
	return false
}
