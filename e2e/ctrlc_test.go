package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNothingIsLeftWhenAnAgentIsDead ends `up` by ctrl-C while an agent is dead, or dies
// over it: tasks, launcher, groups and FIFOs go all the same. Each cluster's stop looks for
// them.
func TestNothingIsLeftWhenAnAgentIsDead(t *testing.T) {
	needCgroups(t)
	t.Setenv("PROFFER_AGENT_KILL_GRACE", "1s")
	kill := func(t *testing.T, c *cluster) {
		t.Helper()
		pids := c.pids(" agent --dir")
		if len(pids) == 0 {
			t.Fatal("no agent runs")
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	for name, story := range map[string]func(t *testing.T, c *cluster){
		"killed just before": func(t *testing.T, c *cluster) { kill(t, c) },
		"killed as its successor starts": func(t *testing.T, c *cluster) {
			kill(t, c)
			eventually(t, 10*time.Second, "the next agent has begun", func() bool { return len(c.pids(" agent --dir")) > 0 })
		},
		"killed while it stops": func(t *testing.T, c *cluster) {
			_ = c.cmd.Process.Signal(os.Interrupt)
			eventually(t, 10*time.Second, "the deaf task is asked to end", func() bool { return read(t, filepath.Join(c.truth, "asked")) != "" })
			kill(t, c)
		},
		"cannot start any more": func(t *testing.T, c *cluster) {
			c.run("run", "--", "sleep", "1") // the agent has served for a while: `up` does not give up over it
			// An emptied checkpoint is refused: an agent that began anew would be another one.
			if err := os.Truncate(filepath.Join(c.dir, "agent0", "checkpoint", "ledger"), 0); err != nil {
				t.Fatal(err)
			}
			kill(t, c)
			eventually(t, 20*time.Second, "the agent has failed to start", func() bool { return strings.Contains(c.talk(), "agent0 died (exit status 1)") })
		},
	} {
		for _, plain := range []string{"", "--no-cgroups"} {
			t.Run(strings.TrimSpace(name+" "+plain), func(t *testing.T) {
				c := newCluster(t, "--agents", "1")
				if plain != "" {
					c.args = append(c.args, plain)
				}
				c.start()
				asked, ready := filepath.Join(c.truth, "asked"), filepath.Join(c.truth, "ready")
				c.run("run", "--detach", "--", "sh", "-c", "trap 'echo asked > "+asked+"' TERM; echo ready > "+ready+"; while true; do sleep 0.1; done")
				eventually(t, 10*time.Second, "the task is deaf", func() bool { return read(t, ready) != "" })
				story(t, c)
				c.stop()
			})
		}
	}
}
