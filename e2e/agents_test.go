package e2e

import (
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// agentRows are the lines of `agent list` by host:port.
func (c *cluster) agentRows() map[string][]string {
	rows := map[string][]string{}
	for _, line := range strings.Split(c.run("agent", "list"), "\n")[1:] {
		if f := strings.Fields(line); len(f) > 3 {
			rows[f[1]] = f
		}
	}
	return rows
}

// hosts are host:port of agent 0, 1, and so on.
func (c *cluster) hosts(n int) []string {
	c.t.Helper()
	var hosts []string
	for i := range n {
		hosts = append(hosts, "127.0.0."+strconv.Itoa(i+1)+":"+strconv.Itoa(5051+10*i+c.offset))
	}
	eventually(c.t, 20*time.Second, "all agents are listed", func() bool {
		rows := c.agentRows()
		for _, h := range hosts {
			if rows[h] == nil {
				return false
			}
		}
		return true
	})
	return hosts
}

// TestAgentsAreCaredFor: an agent is deactivated (its task stays, nothing comes), drained
// (its task ends for that reason), reactivated, and in the end another one is marked gone.
func TestAgentsAreCaredFor(t *testing.T) {
	c := startCluster(t, "--masters", "3", "--agents", "2", "--resources", "cpus:1;mem:512;disk:512", "--resources", "cpus:1;mem:512;disk:512")
	c.settled(3)
	hosts := c.hosts(2)
	state := func(host, want string) {
		t.Helper()
		eventually(t, 20*time.Second, host+" is "+want, func() bool { f := c.agentRows()[host]; return f != nil && f[2] == want })
	}
	// The writers take the whole of both agents, a half each.
	for i := range 4 {
		c.run("run", "--detach", "--cpus", "0.5", "--mem", "64", "--name", "w"+strconv.Itoa(i), "--", "sh", "-c",
			"echo $$ >> "+filepath.Join(c.truth, "w"+strconv.Itoa(i))+"; exec sleep 3600")
	}
	was := c.undisturbed(4, nil)
	c.run("agent", "deactivate", hosts[0])
	state(hosts[0], "deactivated")
	c.undisturbed(4, was)
	if status := c.run("status"); !strings.Contains(status, "healthy") || !strings.Contains(status, "1 deactivated") {
		t.Errorf("status: %s", status)
	}
	began := time.Now()
	c.run("agent", "drain", "--max-grace", "1s", hosts[0])
	t.Logf("drained in %v", time.Since(began))
	state(hosts[0], "drained")
	if ps := c.run("ps", "--all"); strings.Count(ps, " killed ") != 2 {
		t.Errorf("ps: %s", ps)
	}
	alive := 0
	for pid, start := range was {
		if startTimeOf(pid) == start {
			alive++
		}
	}
	if alive != 2 {
		t.Errorf("%d of the writers live, want the two of the other agent", alive)
	}
	// It outlives the leader: the next one offers nothing of it either.
	kill9(t, c.masterPID(c.settled(3)))
	c.settled(3)
	state(hosts[0], "drained")
	if r := c.try("run", "--timeout", "3s", "--cpus", "0.5", "--mem", "64", "--", "true"); r.code == 0 {
		t.Error("a task ran although one agent is full and the other drained")
	}
	c.run("agent", "reactivate", hosts[0])
	c.run("run", "--cpus", "0.5", "--mem", "64", "--", "true")
	// Gone is final, and asks to be meant.
	if r := c.try("agent", "gone", hosts[1]); r.code != 2 || !strings.Contains(r.talk, "--yes") {
		t.Errorf("gone without --yes: %+v", r)
	}
	c.run("agent", "gone", "--yes", hosts[1])
	eventually(t, 20*time.Second, "what the lost agent ran has ended", func() bool {
		for pid, start := range was {
			if startTimeOf(pid) == start {
				return false
			}
		}
		return strings.Count(c.run("ps", "--all"), "gone by operator") == 2
	})
	eventually(t, 20*time.Second, "the agent is refused", func() bool { return strings.Contains(c.talk(), "marked gone") })
}

// TestFastProfile: an agent that hangs is unreachable within two seconds and a half, one
// alone; two of three are more than may be their own failure.
func TestFastProfile(t *testing.T) {
	c := startCluster(t, "--profile", "fast", "--agents", "3")
	c.hosts(3)
	var stopped []int
	t.Cleanup(func() {
		for _, pid := range stopped {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	})
	stop := func(agent string) {
		t.Helper()
		pid := c.one(" agent --dir " + c.dir + "/" + agent)
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		stopped = append(stopped, pid)
	}
	began := time.Now()
	stop("agent0")
	eventually(t, 10*time.Second, "it is unreachable", func() bool { return strings.Contains(c.run("agent", "list"), "unreachable") })
	t.Logf("unreachable after %v", time.Since(began))
	if err := syscall.Kill(stopped[0], syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "it is back", func() bool { return strings.Contains(c.run("status"), "agents    3 of 3") })
	// Those that are given up at once would have to have failed at once.
	eventually(t, 10*time.Second, "two hang, and it is said that none is given up", func() bool {
		if len(stopped) < 3 {
			stop("agent1")
			stop("agent2")
		}
		return strings.Contains(c.run("status"), "2 of 3 agents are silent at once")
	})
}

// TestMasterThatStoodStill: a lone master is stopped for three times the time after which an
// agent is unreachable. What its agents said meanwhile waits to be read: none is given up,
// and no task notices.
func TestMasterThatStoodStill(t *testing.T) {
	c := startCluster(t, "--profile", "fast", "--agents", "2")
	c.hosts(2)
	c.writers(2)
	was := c.undisturbed(2, nil)
	pid := c.one(" master --dir " + c.dir + "/master0")
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	still := time.After(4500 * time.Millisecond)
	<-still
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "both agents are there", func() bool { return strings.Contains(c.try("status").out, "agents    2 of 2") })
	if strings.Contains(c.talk(), `"agent unreachable"`) {
		t.Error("an agent was given up")
	}
	c.undisturbed(2, was)
	if got := c.run("run", "--cpus", "0.1", "--mem", "32", "--", "echo", "on"); got != "on\n" {
		t.Errorf("a task printed %q", got)
	}
}
