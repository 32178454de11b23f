package e2e

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pause stops a process until what it gives is called.
func (c *cluster) pause(pid int) (goOn func()) {
	c.t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		c.t.Fatal(err)
	}
	goOn = func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
	c.t.Cleanup(goOn)
	return goOn
}

// TestFrameworksOutliveSilence: marathonish and chronosish live on (the same processes) when
// the leader stands still for longer than their leases, when all masters do, and when an
// agent that runs one of them is silent and the leader changes meanwhile.
func TestFrameworksOutliveSilence(t *testing.T) {
	c := startCluster(t, append(booted(), "--profile", "fast", "--masters", "3", "--agents", "3")...)
	answers := func() bool { status, _ := c.chronos(http.MethodGet, "/jobs", ""); return status == http.StatusOK }
	eventually(t, 30*time.Second, "chronosish answers", answers)
	was := map[string]int{" marathonish": c.one("proffer marathonish"), " chronosish": c.one("proffer chronosish")}
	same := func(when string) {
		t.Helper()
		for kind, pid := range was {
			if !alive(pid) {
				t.Errorf("%s:%s has ended: %s", when, kind, c.try("ps", "--all").out)
			}
		}
	}
	meanwhile := func(span time.Duration, when string) {
		t.Helper()
		look := time.NewTicker(500 * time.Millisecond)
		defer look.Stop()
		for end := time.After(span); ; {
			select {
			case <-look.C:
				if same(when); t.Failed() {
					return
				}
			case <-end:
				return
			}
		}
	}
	stop := func(what string, pids ...int) {
		var all []func()
		for _, pid := range pids {
			all = append(all, c.pause(pid))
		}
		meanwhile(12*time.Second, "while "+what+" stood still") // the leases last ten
		for _, goOn := range all {
			goOn()
		}
		c.settled(3)
		eventually(t, 30*time.Second, "chronosish answers", answers)
		same("after " + what + " stood still")
	}
	stop("the leader", c.masterPID(c.settled(3)))
	if os.Getenv("PROFFER_SOAK") != "" {
		stop("all masters", c.pids(fmt.Sprintf(" master --dir %s/master", c.dir))...)
	}
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", was[" chronosish"]))
	home := regexp.MustCompile(regexp.QuoteMeta(c.dir) + `/agent[0-9]`).FindString(cwd)
	if err != nil || home == "" {
		t.Fatalf("chronosish runs in %q, %v", cwd, err)
	}
	goOn := c.pause(c.one(" agent --dir " + home + " "))
	eventually(t, 20*time.Second, "the agent is unreachable", func() bool { return strings.Contains(c.try("agent", "list").out, "unreachable") })
	c.run("cluster", "transfer")
	c.settled(3)
	meanwhile(2*time.Second, "while the agent was unreachable and another led") // a keeper looks twice a second for tasks that have ended
	goOn()
	eventually(t, 30*time.Second, "chronosish answers", answers)
}
