package executor

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// v1Roots are the hierarchies that a task is put into.
var v1Hierarchies = [...]string{"cpu", "cpuacct", "memory", "pids", "freezer"}

// groups makes one group of its own in each v1 hierarchy.
func groups(t testing.TB, name string) []string {
	t.Helper()
	var dirs []string
	for _, h := range v1Hierarchies {
		root := "/sys/fs/cgroup/" + h
		var st unix.Statfs_t
		if err := unix.Statfs(root, &st); err != nil || st.Type != unix.CGROUP_SUPER_MAGIC || os.Getuid() != 0 {
			skip(t, "needs root and the cgroup v1 hierarchy "+h)
		}
		parent := filepath.Join(root, "proffer-executor-test")
		_ = os.Mkdir(parent, 0o755)
		dir := filepath.Join(parent, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := os.Remove(dir); err != nil {
				t.Errorf("the group is still in use: %v", err)
			}
			_ = os.Remove(parent)
		})
		dirs = append(dirs, dir)
	}
	return dirs
}

// skip skips for a missing right or tool, where that is allowed.
func skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("PROFFER_TEST_NOSKIP") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// BenchmarkLaunch tells what a task costs from fork to reap, in five v1 groups,
// beside a bare fork+exec, in processor time of us and the children, on two lanes.
func BenchmarkLaunch(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		lanes(b, func(int, int) {
			if err := exec.Command("/bin/true").Run(); err != nil {
				b.Error(err)
			}
		})
	})
	b.Run("groups", func(b *testing.B) {
		base := testSpec(b, "")
		base.RuntimeDir = filepath.Join(memoryDir(b), "c")
		lanes(b, func(lane, i int) {
			spec := *base
			spec.Path, spec.Args = "/bin/true", []string{"true"}
			spec.RuntimeDir = fmt.Sprintf("%s-%d-%d", base.RuntimeDir, lane, i)
			for _, h := range v1Hierarchies {
				dir := fmt.Sprintf("/sys/fs/cgroup/%s/proffer-bench-%d-%d-%d", h, os.Getpid(), lane, i)
				if err := os.Mkdir(dir, 0o755); err != nil {
					skip(b, err.Error())
				}
				defer os.Remove(dir)
				spec.CgroupsV1 = append(spec.CgroupsV1, dir)
			}
			s, err := Start(&spec)
			if err != nil {
				b.Error(err)
				return
			}
			await(b, s)
			s.Close()
		})
	})
}

func lanes(b *testing.B, one func(lane, i int)) {
	before := cpuTime(b)
	start := time.Now()
	var wg sync.WaitGroup
	for lane := range 2 {
		wg.Go(func() {
			for i := lane; i < b.N; i += 2 {
				one(lane, i)
			}
		})
	}
	wg.Wait()
	used := cpuTime(b) - before
	b.ReportMetric(used.Seconds()*1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "op/s")
}

func cpuTime(t testing.TB) (sum time.Duration) {
	t.Helper()
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

// memoryDir is a directory on a tmpfs, where an agent has its runtime directory if
// it can: what ext4 takes for four new files is more than the launch itself.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "proffer-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
