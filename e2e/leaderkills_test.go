package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// longestGap is perf-25's: from a leader's death to the next launch that is acknowledged.
const longestGap = 3 * time.Second

// steady starts n tasks that write the number of their process once and then go on, and
// gives what checks that each still is that process.
func (n *netCluster) steady(count int) (undisturbed func()) {
	n.t.Helper()
	for i := range count {
		r := n.cli("c0", "run", "--detach", "--cpus", "0.1", "--mem", "32", "--name", fmt.Sprintf("w%d", i), "--", "sh", "-c",
			fmt.Sprintf("echo $PWD $$ >> %s; exec sleep 3600", filepath.Join(n.truth, fmt.Sprintf("w%d", i))))
		if r.code != 0 {
			n.t.Fatalf("run: %+v", r)
		}
	}
	look := func() map[string]string {
		now := map[string]string{}
		pids := map[string]map[int]int{}
		for name, h := range n.hosts {
			if name[0] == 'a' {
				pids[name] = h.PIDs()
			}
		}
		for i := range count {
			name := fmt.Sprintf("w%d", i)
			var f []string
			eventually(n.t, 20*time.Second, name+" has started", func() bool {
				f = strings.Fields(read(n.t, filepath.Join(n.truth, name)))
				return len(f) >= 2
			})
			pid, err := strconv.Atoi(f[1])
			if err != nil || len(f) != 2 {
				n.t.Errorf("%s wrote %q", name, f)
			}
			agent, _, _ := strings.Cut(strings.TrimPrefix(f[0], n.dir+"/"), "/") // the sandbox is below its directory
			now[name] = fmt.Sprintf("process %d of %s, started at %q", pid, agent, startTimeOf(pids[agent][pid]))
			if strings.HasSuffix(now[name], `""`) {
				n.t.Errorf("%s is gone: %s", name, now[name])
			}
		}
		return now
	}
	before := look()
	return func() {
		n.t.Helper()
		for name, now := range look() {
			if before[name] != now {
				n.t.Errorf("%s was %s and is %s", name, before[name], now)
			}
		}
	}
}

// settledNet waits until all masters take part and one leads.
func (n *netCluster) settledNet() (leader string) {
	n.t.Helper()
	eventually(n.t, 30*time.Second, "all masters take part", func() bool {
		leader = n.leader()
		return leader != "" && strings.Count(n.cli("c0", "cluster", "members").out, "follows") == netMasters-1
	})
	return leader
}

// gap is the time from a leader's death to the first launch after it that is acknowledged.
type gap struct {
	leader   string
	from, to time.Time
}

func (g gap) long() time.Duration { return g.to.Sub(g.from).Round(time.Millisecond) }
func (g gap) String() string      { return g.long().String() }

// TestLeaderKills is perf-25's must: the leader is killed again and again under 300
// launches a second. No task dies by that, no update is lost, and launches are
// acknowledged again within three seconds. The long form (PROFFER_SOAK) has 20 kills.
func TestLeaderKills(t *testing.T) {
	count := 3
	if os.Getenv("PROFFER_SOAK") != "" {
		count = 20
	}
	n := startNet(t, 3, "none")
	undisturbed := n.steady(6)
	f, quiet := startFlow(n, "c0", 300)
	eventually(t, 20*time.Second, "the flow flows", func() bool { return f.acknowledged() > 300 })
	still := watchMachine(t, filepath.Join(n.truth, "witness"))
	began, was := time.Now(), f.acknowledged()
	var gaps []gap
	for range count {
		leader := n.settledNet()
		n.pass(time.Second)
		at := time.Now()
		n.kill(leader)
		dead := time.Now() // what is launched from here on is launched by the next one
		eventually(t, 30*time.Second, "launches are acknowledged again", func() bool { return f.launchedSince(dead) > 50 })
		first, _ := f.acknowledgedAfter(dead)
		gaps = append(gaps, gap{leader, at, first})
		n.start(leader)
	}
	n.settledNet()
	n.pass(time.Second)
	quiet()
	rate := float64(f.acknowledged()-was) / time.Since(began).Seconds()
	paused := still()
	t.Logf("%d kills; %.0f launches a second acknowledged over all; gaps %v; pauses of the machine itself: %v", count, rate, gaps, paused)
	for i, g := range gaps {
		if g.long() > longestGap && !during(paused, g.from, g.to) {
			t.Errorf("after the death of %s, kill %d, launches were acknowledged again after %v only, over %v", g.leader, i+1, g, longestGap)
		}
	}
	f.judge()
	undisturbed()
}
