package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestUnreachableAgentStaysInSight: an agent that is silent for longer than
// --agent-timeout (10 s) is counted and named as one that does not answer, for as long
// as it is away.
func TestUnreachableAgentStaysInSight(t *testing.T) {
	t.Parallel() // it mostly waits
	c := startCluster(t, "--agents", "2")
	says := func(bound time.Duration, want string, args ...string) {
		t.Helper()
		eventually(t, bound, strings.Join(args, " ")+" says "+want, func() bool { return strings.Contains(c.run(args...), want) })
	}
	says(5*time.Second, "agents    2 of 2", "status")
	silent := c.pids(" agent --dir " + c.dir + "/agent1")
	if len(silent) != 1 {
		t.Fatalf("agent1 is the processes %v", silent)
	}
	if err := syscall.Kill(silent[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(silent[0], syscall.SIGCONT) })
	// The agent's end of the stream stays open: nothing but the time-out can tell.
	says(25*time.Second, "1 of 2 agents do not answer", "status")
	says(5*time.Second, "agents    1 of 2", "status")
	says(5*time.Second, "unreachable", "agent", "list")
	if err := syscall.Kill(silent[0], syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	says(20*time.Second, "agents    2 of 2", "status")
	says(5*time.Second, "healthy", "status")
}

// TestPartitionedServiceIsReplacedAndSettles (P12): the agent of a service's only instance
// falls silent; the service is replaced elsewhere, as its unreachableStrategy says, while the
// old process lives on. When the agent is back one of the two is ended, and one stays.
func TestPartitionedServiceIsReplacedAndSettles(t *testing.T) {
	c := startCluster(t, append(booted(), "--profile", "fast", "--agents", "3")...)
	m := newMarathon(c)
	m.await()
	// Not where marathonish runs: init would have to bring that back first.
	var home string
	eventually(t, 20*time.Second, "ps shows marathonish", func() bool {
		for _, line := range strings.Split(c.run("ps"), "\n") {
			if f := strings.Fields(line); len(f) > 3 && strings.Contains(f[1], "marathonish") {
				home = f[3]
			}
		}
		return home != ""
	})
	m.must(http.MethodPut, "/v2/apps/only", map[string]any{"cmd": c.pidWriter("only"), "instances": 1, "cpus": 0.1, "mem": 32,
		"constraints":         []any{[]any{"hostname", "UNLIKE", strings.ReplaceAll(home, ".", "\\.")}},
		"unreachableStrategy": map[string]any{"inactiveAfterSeconds": 0, "expungeAfterSeconds": 0}}, nil)
	var host string
	eventually(t, 20*time.Second, "one instance runs", func() bool {
		a := m.app("/only").App
		if a.Running != 1 || len(a.Tasks) != 1 {
			return false
		}
		host = a.Tasks[0].Host
		return true
	})
	n, err := strconv.Atoi(host[strings.LastIndexByte(host, '.')+1:])
	if err != nil {
		t.Fatal(err)
	}
	silent := c.one(" agent --dir " + c.dir + "/agent" + strconv.Itoa(n-1))
	if err := syscall.Kill(silent, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(silent, syscall.SIGCONT) })
	eventually(t, 20*time.Second, "it is replaced elsewhere", func() bool {
		pids := c.lines("only")
		return len(pids) == 2 && alive(pids[1])
	})
	if pids := c.lines("only"); !alive(pids[0]) {
		t.Error("the silent agent's process has ended, although nobody could reach it")
	}
	if err := syscall.Kill(silent, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "one of the two is ended", func() bool {
		living := 0
		pids := c.lines("only")
		for _, pid := range pids {
			if alive(pid) {
				living++
			}
		}
		a := m.app("/only").App
		return len(pids) == 2 && living == 1 && a.Running == 1 && len(a.Tasks) == 1
	})
}

// TestKillWaitsForTheAgent: a task is killed and a framework torn down while their agent is
// silent; the leader that was told so dies, and so does the next, before the agent is back.
// Then both end, and the third task lives on.
func TestKillWaitsForTheAgent(t *testing.T) {
	c := startCluster(t, "--profile", "fast", "--masters", "3", "--agents", "1", "--resources", "cpus:2;mem:1024;disk:1024")
	c.settled(3)
	c.writers(3)
	c.undisturbed(3, nil)
	row := func(name string) []string {
		for _, line := range strings.Split(c.run("ps"), "\n") {
			if f := strings.Fields(line); len(f) > 7 && f[1] == name {
				return f
			}
		}
		t.Fatalf("ps does not show %s", name)
		return nil
	}
	killed, torn := row("w0"), row("w1")
	silent := c.one(" agent --dir " + c.dir + "/agent0")
	if err := syscall.Kill(silent, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(silent, syscall.SIGCONT) })
	eventually(t, 20*time.Second, "the agent is unreachable", func() bool { return strings.Contains(c.run("agent", "list"), "unreachable") })
	c.run("kill", "--detach", killed[0])
	c.run("framework", "teardown", torn[len(torn)-1])
	for range 2 {
		kill9(t, c.masterPID(c.settled(3)))
		c.settled(3)
	}
	for _, name := range []string{"w0", "w1", "w2"} {
		if pid := c.lines(name)[0]; !alive(pid) {
			t.Errorf("%s has ended, although nobody could reach its agent", name)
		}
	}
	if err := syscall.Kill(silent, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "the killed task and the torn framework's have ended", func() bool {
		return !alive(c.lines("w0")[0]) && !alive(c.lines("w1")[0])
	})
	if !alive(c.lines("w2")[0]) {
		t.Error("the third task has ended too")
	}
}
