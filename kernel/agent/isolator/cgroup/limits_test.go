package cgroup

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/containerd/cgroups/v3/cgroup1"
	v1 "github.com/containerd/cgroups/v3/cgroup1/stats"
	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/usage"
	"github.com/profferhq/proffer/sdk"
)

func TestLimitsOf(t *testing.T) {
	type numbers = map[string]float64
	inf := math.Inf(1)
	for _, tt := range []struct {
		name              string
		resources, limits numbers
		want              limits
		err               string
	}{
		{"nothing", nil, nil, limits{shares: 2, quota: -1, pids: 1024}, ""},
		{"request only", numbers{"cpus": 1.5, "mem": 128}, nil, limits{shares: 1536, quota: -1, hard: 128 << 20, pids: 1024}, ""},
		{"tiny cpus", numbers{"cpus": 0.001}, nil, limits{shares: 2, quota: -1, pids: 1024}, ""},
		{"huge cpus", numbers{"cpus": 1e6}, nil, limits{shares: 262144, quota: -1, pids: 1024}, ""},
		{"quota", numbers{"cpus": 0.5}, numbers{"cpus": 0.5}, limits{shares: 512, quota: 50000, pids: 1024}, ""},
		{"least quota", nil, numbers{"cpus": 0.0001}, limits{shares: 2, quota: 1000, pids: 1024}, ""},
		{"no quota by infinity", numbers{"cpus": 1}, numbers{"cpus": inf}, limits{shares: 1024, quota: -1, pids: 1024}, ""},
		{"soft below hard", numbers{"mem": 64}, numbers{"mem": 128}, limits{shares: 2, quota: -1, hard: 128 << 20, soft: 64 << 20, pids: 1024}, ""},
		{"memory without bound", numbers{"mem": 64}, numbers{"mem": inf}, limits{shares: 2, quota: -1, soft: 64 << 20, pids: 1024}, ""},
		{"floor", numbers{"mem": 4}, nil, limits{shares: 2, quota: -1, hard: 32 << 20, soft: 4 << 20, pids: 1024, raised: "4 MB"}, ""},
		{"odd bytes", numbers{"mem": 100.001}, nil, limits{shares: 2, quota: -1, hard: 104861696, pids: 1024}, ""},
		{"own pids", numbers{"pids": 10}, nil, limits{shares: 2, quota: -1, pids: 10}, ""},
		{"limit below request", numbers{"cpus": 2}, numbers{"cpus": 1}, limits{}, "limits[cpus]"},
		{"limit not a number", nil, numbers{"cpus": math.NaN()}, limits{}, "limits[cpus]"},
		{"memory limit below request", numbers{"mem": 64}, numbers{"mem": 63}, limits{}, "limits[mem]"},
		{"negative memory limit", nil, numbers{"mem": -1}, limits{}, "limits[mem]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := DefaultOptions()
			got, err := limitsOf(task("c", tt.resources, tt.limits), &o)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one about %s", err, tt.err)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Fatalf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestSharesDivideTheProcessors(t *testing.T) {
	i := needGroups(t, nil)
	spin := "for i in 1 2 3 4; do while :; do :; done & done; wait"
	one := task("one", map[string]float64{"cpus": 1}, nil)
	three := task("three", map[string]float64{"cpus": 3}, nil)
	a, b := start(t, i, one, spin), start(t, i, three, spin)
	// Both stand still while they are read: on a busy machine this process may wait
	// long between one reading and the next.
	read := func() (cpu [2]time.Duration) {
		hold(t, i, true)
		defer hold(t, i, false)
		for n, c := range []*isolator.Container{one, three} {
			var s usage.Sample
			if err := i.Sample(context.Background(), c, &s); err != nil {
				t.Fatal(err)
			}
			cpu[n] = s.CPU
		}
		return cpu
	}
	_ = pause(context.Background(), 300*time.Millisecond) // until all eight run
	before := read()
	// The scheduler keeps the ratio in the long run; three seconds are enough where
	// nothing else runs, a loaded machine gets more.
	ratio := 0.0
	for n := 0; n < 4 && (ratio < 2.7 || ratio > 3.3); n++ {
		_ = pause(context.Background(), 3*time.Second)
		after := read()
		x, y := after[0]-before[0], after[1]-before[1]
		ratio = float64(y) / float64(x)
		t.Logf("1 cpu got %v and 3 cpus got %v: ratio %.2f", x, y, ratio)
	}
	if ratio < 2.7 || ratio > 3.3 {
		t.Errorf("the ratio is %.2f, not 3", ratio)
	}
	finish(t, i, one, a)
	finish(t, i, three, b)
}

// hold freezes or thaws everything below the parent.
func hold(t *testing.T, i *Isolator, still bool) {
	t.Helper()
	path, word, want := "", "THAWED", "THAWED"
	if h := i.driver.killer(); h != nil {
		path, word, want = h.parent+"/cgroup.freeze", "0", "frozen 0"
		if still {
			word, want = "1", "frozen 1"
		}
	} else {
		path = i.driver.find("freezer").parent + "/freezer.state"
		if still {
			word, want = "FROZEN", "FROZEN"
		}
	}
	if err := write(path, word); err != nil {
		t.Fatal(err)
	}
	path = strings.Replace(path, "cgroup.freeze", "cgroup.events", 1)
	eventually(t, "everything is "+want, func() bool {
		text, _ := os.ReadFile(path)
		return strings.Contains(string(text), want)
	})
}

func TestQuotaHoldsHalfACore(t *testing.T) {
	i := needGroups(t, nil)
	c := task("half", map[string]float64{"cpus": 0.5}, map[string]float64{"cpus": 0.5})
	cmd := start(t, i, c, "for i in 1 2; do while :; do :; done & done; wait")
	_ = pause(context.Background(), 200*time.Millisecond)
	var before, after usage.Sample
	begin := time.Now()
	if err := i.Sample(context.Background(), c, &before); err != nil {
		t.Fatal(err)
	}
	// Longer where this process itself has to wait for its turn.
	cores := 0.0
	for n := 0; n < 4 && (cores < 0.45 || cores > 0.55); n++ {
		_ = pause(context.Background(), 2*time.Second)
		took := time.Since(begin)
		if err := i.Sample(context.Background(), c, &after); err != nil {
			t.Fatal(err)
		}
		cores = float64(after.CPU-before.CPU) / float64(took)
		t.Logf("%.3f cores", cores)
	}
	if cores < 0.45 || cores > 0.55 {
		t.Errorf("%.3f cores at a limit of 0.5", cores)
	}
	if after.Throttles == 0 || after.Throttled == 0 {
		t.Errorf("never throttled: %+v", after)
	}
	finish(t, i, c, cmd)
}

func TestOutOfMemoryIsNamedAndEndsAll(t *testing.T) {
	eachDriver(t, func(t *testing.T, i *Isolator) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		told := make(chan string, 8)
		watched := make(chan error, 1)
		go func() {
			watched <- i.Watch(ctx, func(id string, l isolator.Limitation) { told <- id + ": " + string(l.Reason) + ": " + l.Message })
		}()
		c := task("hog", map[string]float64{"cpus": 1, "mem": 4}, nil)
		// The first child outlives the kill of the second.
		cmd := start(t, i, c, `sleep 600 & x=x; while :; do x=$x$x$x$x; done & wait $!; sleep 600`)
		select {
		case got := <-told:
			if !strings.Contains(got, "hog: REASON_CONTAINER_LIMITATION_MEMORY") || !strings.Contains(got, "32 MB") {
				t.Errorf("told %q", got)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("nobody was told")
		}
		l, err := i.Reached(ctx, c)
		if err != nil || l == nil || !l.Kills || !strings.Contains(l.Message, "limit too small") || l.Reason != sdk.ReasonContainerLimitationMemory {
			t.Errorf("reached %+v, %v", l, err)
		}
		if left, _ := i.driver.alive(c.ID); len(left) == 0 {
			t.Error("nothing survived, so nothing is tested here")
		}
		finish(t, i, c, cmd)
		if l, err := i.Reached(ctx, c); l != nil || err != nil {
			t.Errorf("after its removal: %v, %v", l, err)
		}
		cancel()
		if err := <-watched; err != context.Canceled {
			t.Errorf("the watch ended with %v", err)
		}
		if len(told) > 0 {
			t.Errorf("told again: %s", <-told)
		}
	})
}

func TestKilledIsNotOutOfMemory(t *testing.T) {
	i := needGroups(t, nil)
	c := task("victim", map[string]float64{"mem": 64}, nil)
	cmd := start(t, i, c, "kill -9 $$")
	_ = cmd.Wait()
	if l, err := i.Reached(context.Background(), c); l != nil || err != nil {
		t.Errorf("a plain SIGKILL was taken for %v, %v", l, err)
	}
	finish(t, i, c, nil)
}

// TestSampleAgreesWithTheLibrary compares our few reads with containerd's, of one moment.
// A stopped process is not such a moment by itself: it counts as stopped before it has left
// its processor, and the memory that the kernel charges ahead for each processor is given
// back when another group needs that, at any later time. What is equal before and after the
// library's reads did not move between them.
func TestSampleAgreesWithTheLibrary(t *testing.T) {
	i := needGroups(t, func(o *Options) { o.NoTracking = true })
	c := task("sampled", map[string]float64{"cpus": 1, "mem": 64}, nil)
	cmd := start(t, i, c, "x=0; while [ $x -lt 20000 ]; do x=$((x+1)); done; echo done >&2; kill -STOP $$")
	eventually(t, "it stops", func() bool { s, _ := procState(cmd.Process.Pid); return s == "T" })
	sample := func() (s usage.Sample) {
		if err := i.Sample(context.Background(), c, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	root := filepath.Dir(filepath.Dir(i.driver.find("memory").parent))
	group, err := cgroup1.Load(cgroup1.StaticPath("/"+i.options.Parent+"/"+c.ID), cgroup1.WithHierarchy(func() ([]cgroup1.Subsystem, error) {
		return []cgroup1.Subsystem{cgroup1.NewCpuacct(root), cgroup1.NewMemory(root, cgroup1.OptionalSwap()), cgroup1.NewPids(root)}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	var ours usage.Sample
	var theirs *v1.Metrics
	eventually(t, "nothing moves during the library's reads", func() bool {
		ours = sample()
		if theirs, err = group.Stat(cgroup1.IgnoreNotExist); err != nil {
			t.Fatal(err)
		}
		return sample() == ours
	})
	if uint64(ours.CPU) != theirs.CPU.Usage.Total || ours.Memory != theirs.Memory.Usage.Usage ||
		ours.MemoryLimit != theirs.Memory.Usage.Limit || ours.Threads != theirs.Pids.Current || ours.ThreadsLimit != theirs.Pids.Limit {
		t.Errorf("ours %+v\ntheirs %+v %+v %+v", ours, theirs.CPU.Usage, theirs.Memory.Usage, theirs.Pids)
	}
	finish(t, i, c, cmd)
}

func TestGroupsAreNeverUsedTwice(t *testing.T) {
	i := needGroups(t, nil)
	c := task("twice", nil, nil)
	var spec sdk.LaunchSpec
	if err := i.Prepare(context.Background(), c, &spec); err != nil {
		t.Fatal(err)
	}
	if err := i.Prepare(context.Background(), c, &spec); err == nil || !strings.Contains(err.Error(), "never used twice") {
		t.Errorf("the second run in the same group: %v", err)
	}
	finish(t, i, c, nil)
}

// TestMountsAreChecked: an ordinary directory takes every write and limits nothing.
func TestMountsAreChecked(t *testing.T) {
	dir := t.TempDir()
	table := filepath.Join(dir, "mountinfo")
	for n, tt := range []struct{ lines, want string }{
		{"30 1 0:30 / " + dir + " rw - cgroup cgroup rw,cpu\n", "is mounted as a control group hierarchy but is none"},
		{"30 1 0:30 / " + dir + "/none rw - cgroup cgroup rw,memory\n", "no such file"},
		{"22 1 0:20 / /proc rw - proc proc rw\n", "no hierarchy"},
		{"garbage\n- - -\n", "no hierarchy"},
	} {
		if err := os.WriteFile(table, []byte(tt.lines), 0o600); err != nil {
			t.Fatal(err)
		}
		o := DefaultOptions()
		o.Parent, o.MountInfo = "proffer-test-"+strconv.Itoa(n), table
		_, report, err := Open(o)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want %q", tt.lines, err, tt.want)
		}
		if len(report.Missing) != 4 {
			t.Errorf("%q: missing %v", tt.lines, report.Missing)
		}
	}
	o := DefaultOptions()
	o.Parent = "else/where"
	if _, _, err := Open(o); err == nil {
		t.Error("a parent with a slash was accepted")
	}
}

func TestParseMountUnescapes(t *testing.T) {
	m, ok := parseMount(`30 1 0:30 / /a\040b rw,relatime shared:1 - cgroup cgroup rw,cpu,cpuacct`)
	if !ok || m.dir != "/a b" || strings.Join(m.controllers, " ") != "cpu cpuacct" {
		t.Errorf("%+v %v", m, ok)
	}
}
