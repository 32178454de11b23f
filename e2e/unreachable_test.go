package e2e

import (
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
