package e2e

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// spin is a program of four threads' worth of processor time: four shells that count, and
// write how much processor time they and their children have had when they are told to end.
const spin = `cd %s; for i in 1 2 3 4; do while :; do :; done & p="$p $!"; done; sleep %g; kill $p; wait; times > %s`

// cpuSeconds reads what `times` wrote: the processor time of the shell and its children.
func cpuSeconds(t *testing.T, text string) float64 {
	t.Helper()
	sum := 0.0
	for _, f := range strings.Fields(text) {
		minutes, seconds, found := strings.Cut(strings.TrimSuffix(f, "s"), "m")
		m, err1 := strconv.ParseFloat(minutes, 64)
		s, err2 := strconv.ParseFloat(seconds, 64)
		if !found || err1 != nil || err2 != nil {
			t.Fatalf("not what `times` writes: %q", text)
		}
		sum += 60*m + s
	}
	return sum
}

// TestCPUShares: on an agent declared cpus:5 with two cores, two tasks of cpus 1 and 3 with
// four spinning threads each share 1:3. Others on the machine take from a core here and a
// core there, which no shares of ours can even out: a window in which the two did not get
// nearly all of the processors proves nothing, and another one is taken.
func TestCPUShares(t *testing.T) {
	needCgroups(t)
	const windows, seconds = 5, 10.0
	whole := 0.985 * seconds * float64(min(runtime.NumCPU(), 8)) // eight threads spin
	c := startCluster(t, "--resources", "cpus:5;mem:1024")
	s := startStream(t, c, "shares")
	var a, b float64
	for i := 0; i < windows && a+b < whole; i++ {
		small, large := fmt.Sprintf("small-%d", i), fmt.Sprintf("large-%d", i)
		for _, id := range []sdk.TaskID{s.add(small, fmt.Sprintf(spin, c.truth, seconds, small), 1, 64), s.add(large, fmt.Sprintf(spin, c.truth, seconds, large), 3, 64)} {
			if st := s.wait(id, 40*time.Second, ended); st.State != sdk.TaskFinished {
				t.Fatalf("%s: %s %s", id, st.State, st.Message)
			}
		}
		x, y := cpuSeconds(t, read(t, filepath.Join(c.truth, small))), cpuSeconds(t, read(t, filepath.Join(c.truth, large)))
		t.Logf("cpus 1 and 3 got %.2f and %.2f s of processor time", x, y)
		if x+y > a+b { // the window with the least of others in it
			a, b = x, y
		}
	}
	if ratio := b / a; ratio < 2.7 || ratio > 3.3 {
		t.Errorf("cpus 1 and 3 got %.2f and %.2f s of processor time: ratio %.2f, 2.7 to 3.3 is right", a, b, ratio)
	}
}

// TestCPULimit: a limit of 0.5 is half a core, on an idle machine too. What else runs on the
// machine can only take from it, so the best of a few windows is the limit's own work, and
// no window may have more.
func TestCPULimit(t *testing.T) {
	needCgroups(t)
	const windows, seconds = 4, 5.0
	c := startCluster(t, "--resources", "cpus:5;mem:1024")
	s := startStream(t, c, "limit")
	best := 0.0
	for i := 0; i < windows && best < 0.45; i++ {
		id := sdk.TaskID(fmt.Sprintf("half-%d", i))
		s.addTask(sdk.TaskInfo{Name: "half", TaskID: id, Command: &sdk.CommandInfo{Value: fmt.Sprintf(spin, c.truth, seconds, id)},
			Resources: []sdk.Resource{scalar("cpus", 0.5), scalar("mem", 64)}, Limits: map[string]sdk.Scalar{"cpus": {Value: 0.5}}})
		if st := s.wait(id, 30*time.Second, ended); st.State != sdk.TaskFinished {
			t.Fatalf("%s %s", st.State, st.Message)
		}
		best = max(best, cpuSeconds(t, read(t, filepath.Join(c.truth, string(id))))/seconds)
	}
	if best < 0.45 || best > 0.55 {
		t.Errorf("a limit of 0.5 gave %.3f cores", best)
	}
}

// TestMemoryLimit: a task over its memory ends as failed, with the reason that names it.
func TestMemoryLimit(t *testing.T) {
	needCgroups(t)
	c := startCluster(t)
	s := startStream(t, c, "memory")
	id := s.add("hog", `echo alive > `+c.truth+`/hog; x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done`, 0.1, 48)
	st := s.wait(id, 30*time.Second, ended)
	if st.State != sdk.TaskFailed || st.Reason != sdk.ReasonContainerLimitationMemory {
		t.Errorf("got %s %s: %s", st.State, st.Reason, st.Message)
	}
	if st.Limitation == nil || len(st.Limitation.Resources) == 0 || st.Limitation.Resources[0].Name != "mem" {
		t.Errorf("the limitation does not name mem: %+v", st.Limitation)
	}
	if read(t, filepath.Join(c.truth, "hog")) != "alive\n" {
		t.Error("the task never ran")
	}
}

// pidsDefault is the agent's default for a task that names no pids.
const pidsDefault = 1024

// bombOf is the number of processes in the fullest of the cluster's groups, by the kernel's
// own list of them, and whether a fork has failed over its limit.
func bombOf(c *cluster) (most int, met bool) {
	for _, parent := range groupsOf(c.dir) {
		if !strings.Contains(parent, "/pids/") {
			continue
		}
		groups, _ := filepath.Glob(parent + "/*/cgroup.procs")
		for _, procs := range groups {
			most = max(most, strings.Count(read(c.t, procs), "\n"))
			failed, ok := strings.CutPrefix(strings.TrimSpace(read(c.t, filepath.Join(filepath.Dir(procs), "pids.events"))), "max ")
			met = met || ok && failed != "0"
		}
	}
	return most, met
}

// TestForkBomb: a fork bomb stays within its pids, and its agent goes on.
func TestForkBomb(t *testing.T) {
	needCgroups(t)
	c := startCluster(t)
	s := startStream(t, c, "bomb")
	id := s.add("bomb", `bomb() { sleep 1000 & bomb & bomb; }; bomb 2>/dev/null; sleep 1000`, 0.1, 256)
	s.wait(id, 20*time.Second, running)
	eventually(t, 20*time.Second, "the bomb meets its limit of pids", func() bool {
		most, met := bombOf(c)
		if most > pidsDefault {
			t.Fatalf("the bomb has %d processes, more than %d", most, pidsDefault)
		}
		return met
	})
	if r := c.try("run", "--", "echo", "fine"); r.out != "fine\n" {
		t.Errorf("beside a fork bomb: %+v", r)
	}
	if most, _ := bombOf(c); most > pidsDefault {
		t.Errorf("the bomb has %d processes, more than %d", most, pidsDefault)
	}
	// Its first shell may have given up by itself: it could not fork.
	if r := c.try("kill", "--grace", "100ms", string(id)); r.code != 0 && !strings.Contains(r.talk, "has ended already") {
		t.Errorf("kill: %+v", r)
	}
	if st := s.wait(id, 30*time.Second, ended); st.State != sdk.TaskKilled && st.State != sdk.TaskFailed {
		t.Errorf("got %s %s", st.State, st.Message)
	}
}
