package agent

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// TestThroughput runs many small tasks through one agent with control groups, and
// says what each costs the whole tree: agent, launcher, executor, tasks, and the
// leader of the test. PROFFER_TEST_TASKS says how many.
func TestThroughput(t *testing.T) {
	t.Run("groups", func(t *testing.T) {
		needRoot(t)
		throughput(t, nil)
	})
	t.Run("plain", func(t *testing.T) { throughput(t, plain) })
}

func throughput(t *testing.T, change func(*Options)) {
	n, _ := strconv.Atoi(os.Getenv("PROFFER_TEST_TASKS"))
	if n == 0 {
		n = 200
	}
	var before, after, children, childrenBefore syscall.Rusage
	usage := func(who int, r *syscall.Rusage) {
		if err := syscall.Getrusage(who, r); err != nil {
			t.Fatal(err)
		}
	}
	var wall time.Duration
	t.Run("run", func(t *testing.T) {
		m := newMachine(t, change)
		m.leader.run(shell("warm", "true", "cpus:0.001;mem:1"))
		m.leader.state("warm", sdk.TaskFinished)
		usage(syscall.RUSAGE_SELF, &before)
		usage(syscall.RUSAGE_CHILDREN, &childrenBefore)
		start := time.Now()
		const batch = 50
		for i := 0; i < n; i += batch {
			var tasks []sdk.TaskInfo
			for j := i; j < min(n, i+batch); j++ {
				no := false
				task := shell(fmt.Sprintf("t%d", j), "/bin/true", "cpus:0.001;mem:1")
				task.Command.Shell = &no
				tasks = append(tasks, task)
			}
			m.leader.run(tasks...)
		}
		m.leader.until("all tasks", func() bool {
			done := 0
			for _, list := range m.leader.states {
				if list[len(list)-1].State == sdk.TaskFinished {
					done++
				}
			}
			return done == n+1
		})
		wall = time.Since(start)
		usage(syscall.RUSAGE_SELF, &after)
	})
	usage(syscall.RUSAGE_CHILDREN, &children)
	self := cpu(&after) - cpu(&before)
	below := cpu(&children) - cpu(&childrenBefore)
	t.Logf("%d tasks in %v: %.0f tasks/s; agent and test %.2f CPU-ms a task, launcher, executor and tasks %.2f",
		n, wall.Round(time.Millisecond), float64(n)/wall.Seconds(), ms(self, n), ms(below, n))
	if rate := float64(n) / wall.Seconds(); rate < 20 {
		t.Errorf("%.0f tasks/s", rate)
	}
}

func cpu(r *syscall.Rusage) time.Duration {
	return time.Duration(syscall.TimevalToNsec(r.Utime) + syscall.TimevalToNsec(r.Stime))
}

func ms(d time.Duration, n int) float64 { return float64(d) / float64(time.Millisecond) / float64(n) }
