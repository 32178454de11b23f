package e2e

import (
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rolled are what a roll restarts: all daemons, and our frameworks.
func (e *everything) rolled() []string {
	return append(sorted(e.n.daemons), "marathonish", "chronosish")
}

// roll restarts one process after the other, in an order of chance, and waits each time
// until it does its work again. version is that of the programs that are installed now:
// before a process is restarted it may run another, after the roll all run this one.
func (e *everything) roll(random *rand.Rand, version string) {
	n, t := e.n, e.n.t
	t.Helper()
	order := e.rolled()
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	began := time.Now()
	for _, name := range order {
		n.settledNet()
		n.sw.Note("restart of " + name)
		switch name {
		case "marathonish": // by whatever means it ends, init keeps it running
			was := n.one(" marathonish")
			if err := syscall.Kill(was, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			eventually(t, 20*time.Second, "another marathonish answers", func() bool {
				now := n.pids(" marathonish")
				status, _ := e.m.do(http.MethodGet, "/v2/info", nil)
				return status == http.StatusOK && len(now) == 1 && now[0] != was
			})
		case "chronosish":
			was := n.one(" chronosish")
			if r := n.cli("c0", "service", "restart", "/chronosish"); r.code != 0 {
				t.Errorf("service restart: %+v", r)
			}
			eventually(t, 20*time.Second, "another chronosish answers", func() bool {
				status, _ := n.chronos(http.MethodGet, "/jobs", "")
				now := n.pids(" chronosish")
				return status == http.StatusOK && len(now) == 1 && now[0] != was
			})
		default:
			n.restart(name)
			if name[0] == 'a' {
				eventually(t, 20*time.Second, name+" is back", func() bool { return strings.Contains(n.cli("c0", "status").out, "3 of 3") })
			}
		}
	}
	n.settledNet()
	eventually(t, 20*time.Second, "all run "+version, func() bool {
		for _, name := range programs() {
			if _, old := n.runs(name); old > 0 {
				return false
			}
		}
		return strings.Count(n.cli("c0", "cluster", "members").out, version) == netMasters && strings.Count(n.cli("c0", "agent", "list", "--json").out, `"version":"`+version+`"`) == 3
	})
	t.Logf("%s one after the other to %s: %v", strings.Join(order, ", "), version, time.Since(began).Round(time.Millisecond))
}

// TestRollingUpgrade: the programs are replaced by another version, and every process is
// restarted, one after the other, under all kinds of load: masters, agents, marathonish and
// chronosish; launchers and executors follow by themselves. No task notices, no slot is
// missed or run twice, and nothing that was acknowledged is lost. The long form
// (PROFFER_SOAK) restarts everything again and again, up, down, and as it is.
func TestRollingUpgrade(t *testing.T) {
	random := rand.New(rand.NewPCG(seedOf(t), 1))
	other := build(t, "9.9.9")
	e := startEverything(t, random)
	versions := []string{"9.9.9"}
	if os.Getenv("PROFFER_SOAK") != "" {
		versions = slices.Repeat([]string{"0.1.0", "9.9.9", "9.9.9"}, 3)
	}
	for _, version := range versions {
		from := binaries
		if version == "9.9.9" {
			from = other
		}
		e.n.install(from)
		e.roll(random, version)
	}
	e.judge()
}
