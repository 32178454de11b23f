package agent

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
)

// pidOf finds the one process of this machine with that word as its second
// argument, started for this agent.
func (m *machine) pidOf(kind string) int {
	m.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		dirs, _ := filepath.Glob("/proc/[0-9]*")
		for _, d := range dirs {
			line, _ := os.ReadFile(d + "/cmdline")
			args := strings.Split(string(line), "\x00")
			if len(args) < 2 || args[0] != "proffer-executor" && filepath.Base(args[0]) != "proffer-executor" || args[1] != kind {
				continue
			}
			env, _ := os.ReadFile(d + "/environ")
			if !bytes.Contains(line, []byte(m.o.Dir)) && !bytes.Contains(env, []byte(m.o.Dir)) {
				continue
			}
			pid, _ := strconv.Atoi(filepath.Base(d))
			return pid
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-limit:
			m.t.Fatalf("there is no %s", kind)
		}
	}
}

func (m *machine) killKind(kinds ...string) {
	m.t.Helper()
	var pids []int
	for _, k := range kinds {
		pids = append(pids, m.pidOf(k))
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			m.t.Fatal(err)
		}
	}
}

// TestKills is the promise of kernel/doc.go: SIGKILL of executor or launcher, or of both, kills
// no task and loses no exit status.
func TestKills(t *testing.T) {
	for _, kinds := range [][]string{{"executor"}, {"launcher"}, {"launcher", "executor"}} {
		t.Run(strings.Join(kinds, "+"), func(t *testing.T) {
			needRoot(t)
			m := newMachine(t, nil)
			stop := filepath.Join(t.TempDir(), "stop")
			m.leader.run(
				shell("long", "trap 'exit 3' USR1; while :; do sleep 0.05; done", "cpus:0.1;mem:64"),
				shell("short", fmt.Sprintf("while ! test -e %s; do sleep 0.05; done; exit 7", stop), "cpus:0.1;mem:64"))
			pid := m.leader.state("long", sdk.TaskRunning).ContainerStatus.ExecutorPID
			m.leader.state("short", sdk.TaskRunning)
			if err := os.Chmod(filepath.Dir(filepath.Dir(stop)), 0o755); err != nil {
				t.Fatal(err)
			}
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if err != nil {
				t.Fatal(err)
			}
			m.killKind(kinds...)
			if err := os.WriteFile(stop, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			if s := m.leader.state("short", sdk.TaskFailed); s.Message != "Command exited with status 7" {
				t.Errorf("short: %+v", s)
			}
			after, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if err != nil || startOf(string(stat)) != startOf(string(after)) {
				t.Errorf("long is not the same process: %v", err)
			}
			m.leader.run(shell("next", "true", "cpus:0.1;mem:64"))
			m.leader.state("next", sdk.TaskFinished)
			m.leader.kill("long")
			m.leader.state("long", sdk.TaskKilled)
			if got := m.leader.history("short") + ", " + m.leader.history("long"); got != "TASK_RUNNING TASK_FAILED, TASK_RUNNING TASK_KILLED" {
				t.Errorf("history: %s", got)
			}
			m.settled()
		})
	}
}

// settled waits until nothing is left in the books but tombstones.
func (m *machine) settled() {
	m.t.Helper()
	var c ledger.Counts
	for limit := time.After(20 * time.Second); ; {
		if !m.agent.ask(m.t.Context(), func(l *ledger.Ledger) { c = l.Counts() }) {
			m.t.Fatal("the agent's loop has ended")
		}
		if c.Tasks == 0 && c.Unacknowledged == 0 && c.Used.Empty() {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-limit:
			m.t.Errorf("left in the books: %+v", c)
			return
		}
	}
}
