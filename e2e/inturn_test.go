package e2e

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/e2e/slots"
)

// backAgain is how long a killed process and the work that hung on it may be away.
const backAgain = 20 * time.Second

// process is one of a cluster's processes, by a part of its command line that no other
// has, or by its pid where nothing else tells it from its siblings.
type process struct {
	what, part string
	pid        int
}

// processes are all of the cluster's own that a job's run does not bring along.
func (c *cluster) processes() (list []process) {
	c.t.Helper()
	for i := range 3 {
		list = append(list,
			process{what: fmt.Sprintf("master %d", i), part: fmt.Sprintf(" master --dir %s/master%d ", c.dir, i)},
			process{what: fmt.Sprintf("agent %d", i), part: fmt.Sprintf(" agent --dir %s/agent%d ", c.dir, i)},
			process{what: fmt.Sprintf("launcher %d", i), part: fmt.Sprintf(" launcher --runtime %s/agent%d/run", c.dir, i)})
	}
	list = append(list, process{what: "marathonish", part: "proffer marathonish"}, process{what: "chronosish", part: "proffer chronosish"}, process{what: "up", part: "proffer up --dir " + c.dir})
	was := c.pids("proffer-executor executor")
	<-time.NewTimer(3 * time.Second).C // no job runs for so long
	for _, pid := range c.pids("proffer-executor executor") {
		if slices.Contains(was, pid) {
			list = append(list, process{what: fmt.Sprintf("executor %d", pid), pid: pid})
		}
	}
	return list
}

// TestEachInTurn kills each process of three masters and three agents, one after the other,
// `up` itself and executors with them, under a service and jobs. No instance of the service
// ends, no slot is missed, skipped or run twice. The short form kills two executors; the
// long one (PROFFER_SOAK) all of them, in three rounds of random order.
func TestEachInTurn(t *testing.T) {
	needCgroups(t)
	c := newCluster(t, append(booted(), "--masters", "3", "--agents", "3")...)
	for i := range 3 { // ports of its own, as the cluster's: another one may run beside
		first := 21000 + c.offset + 40*i
		c.args = append(c.args, "--resources", fmt.Sprintf("cpus:8;mem:8192;disk:4096;ports:[%d-%d]", first, first+39))
	}
	c.start()
	s := newServiceStory(t, c)
	s.deploy(1)
	s.settle("after the start")
	eventually(t, 20*time.Second, "chronosish is up", func() bool { status, _ := c.chronos(http.MethodGet, "/jobs", ""); return status == http.StatusOK })
	start := time.Now().UTC().Truncate(time.Second).Add(2 * time.Second)
	jobs := c.stormJobs(start)

	rounds, long := 1, os.Getenv("PROFFER_SOAK") != ""
	if long {
		rounds = 3
	}
	for round := range rounds {
		all := c.processes()
		s.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		executors := 0
		for _, p := range all {
			if p.pid != 0 {
				if executors++; executors > 2 && !long {
					continue
				}
			}
			c.killAndAwait(p)
		}
		s.settle(fmt.Sprintf("after round %d", round))
	}
	<-time.NewTimer(afterKills).C
	end := time.Now().UTC().Truncate(time.Second)
	report := c.verdicts(jobs, end, 90*time.Second)
	t.Logf("%v of kills; the verdicts:\n%v\npauses of more than 2 s: %q", end.Sub(start), &report, slots.Pauses(c.told(), 2000))
	for _, f := range report.Findings {
		t.Errorf("%v", f)
	}
	for name, n := range report.Tallies {
		if n.Slots == 0 || n.Ran != n.Slots {
			t.Errorf("only %d of %d slots of %s ran: %v", n.Ran, n.Slots, name, n.Why)
		}
	}
	s.settle("in the end")
}

// killAndAwait kills one process, and waits until what stands for it is back, three masters
// take part, the agents are there, and a job that was due after the kill has run.
func (c *cluster) killAndAwait(p process) {
	c.t.Helper()
	pid := p.pid
	if pid == 0 {
		pid = c.one(p.part)
	}
	was := startTimeOf(pid)
	died := time.Now()
	if p.what == "up" {
		c.kill9()
		c.start()
	} else if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		c.t.Fatalf("%s: %v", p.what, err)
	}
	if p.part != "" {
		eventually(c.t, backAgain, p.what+" is back", func() bool {
			now := c.pids(p.part)
			return len(now) == 1 && (now[0] != pid || startTimeOf(pid) != was)
		})
	}
	back := time.Since(died)
	eventually(c.t, backAgain, "a job runs after the kill of "+p.what, func() bool {
		return slices.ContainsFunc(c.told(), func(l slots.Line) bool { return l.Nominal > died.UnixMilli() })
	})
	runs := time.Since(died)
	c.settled(3)
	eventually(c.t, backAgain, "three agents are there after the kill of "+p.what, func() bool {
		return strings.Count(c.try("agent", "list").out, " active ") == 3
	})
	c.t.Logf("%s kill -9 of %s, %d: back after %v, a job due later ran after %v, all is well after %v", died.UTC().Format("15:04:05.000"), p.what, pid,
		back.Round(time.Millisecond), runs.Round(time.Millisecond), time.Since(died).Round(time.Millisecond))
}
