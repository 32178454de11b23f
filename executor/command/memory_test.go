package command

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// perf-4: what a running task costs us beside itself is at most 0.3 MB.
func TestMemoryOfARunningTask(t *testing.T) {
	const n = 300
	a := newAgent(t)
	l := a.dial()
	p := a.startExecutor(l, "ex1")
	a.run(a.spec("first", "true"))
	a.end("first")
	before := resident(t, int(p.PID))
	start := time.Now()
	for i := range n {
		spec := a.spec(fmt.Sprint("t", i), "")
		spec.Path, spec.Args = "/bin/sleep", []string{"sleep", "600"}
		a.run(spec)
	}
	for i := range n {
		a.state(sdk.TaskID(fmt.Sprint("t", i)), sdk.TaskRunning)
	}
	took := time.Since(start)
	after := resident(t, int(p.PID))
	perTask := float64(after-before) / n / 1024
	t.Logf("%d tasks running after %v (%.0f/s): the executor has %d KiB, was %d: %.1f KiB a task; %d updates in %d bodies",
		n, took, n/took.Seconds(), after/1024, before/1024, perTask, a.calls, a.bodies)
	if perTask > 300 {
		t.Errorf("a running task costs %.1f KiB, at most 300 are allowed", perTask)
	}
	for i := range n {
		a.kill(fmt.Sprint("t", i), 0)
	}
	for i := range n {
		a.end(sdk.TaskID(fmt.Sprint("t", i)))
	}
	a.quit(l, "ex1")
}

// resident is the memory of a process that is in use, in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
