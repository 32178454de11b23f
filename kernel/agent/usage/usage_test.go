package usage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func files(t *testing.T, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range content {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadV1(t *testing.T) {
	v1 := map[string]string{
		"cpuacct.usage":               "1500000000\n",
		"cpu.stat":                    "nr_periods 43\nnr_throttled 40\nthrottled_time 1970000000\n",
		"memory.usage_in_bytes":       "1048576\n",
		"memory.max_usage_in_bytes":   "2097152\n",
		"memory.limit_in_bytes":       "33554432\n",
		"memory.oom_control":          "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
		"pids.current":                "5\n",
		"pids.max":                    "1024\n",
		"memory.memsw.limit_in_bytes": "1\n",
	}
	dir := files(t, v1)
	want := Sample{
		CPU: 1500 * time.Millisecond, Throttled: 1970 * time.Millisecond, Periods: 43, Throttles: 40,
		Memory: 1 << 20, MemoryPeak: 2 << 20, MemoryLimit: 32 << 20, OOMKills: 2, Threads: 5, ThreadsLimit: 1024,
	}
	var got Sample
	if err := Read(Groups{CPU: dir, CPUAcct: dir, Memory: dir, Pids: dir}, &got); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	// A tracking group beside v1 tells processor time instead of cpuacct.
	unified := files(t, map[string]string{"cpu.stat": "usage_usec 2500000\nuser_usec 1\nsystem_usec 1\n"})
	want.CPU = 2500 * time.Millisecond
	if err := Read(Groups{Unified: unified, CPU: dir, CPUAcct: dir, Memory: dir, Pids: dir}, &got); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	v1["memory.limit_in_bytes"], v1["pids.max"] = "9223372036854771712\n", "max\n"
	dir, got = files(t, v1), Sample{}
	if err := Read(Groups{Memory: dir, Pids: dir}, &got); err != nil || got.MemoryLimit != 0 || got.ThreadsLimit != 0 {
		t.Errorf("no limits: %+v, %v", got, err)
	}
}

func TestReadV2(t *testing.T) {
	v2 := map[string]string{
		"cpu.stat":       "usage_usec 2000000\nuser_usec 1\nsystem_usec 1\nnr_periods 20\nnr_throttled 10\nthrottled_usec 500000\n",
		"memory.current": "4096\n", "memory.peak": "8192\n", "memory.max": "max\n",
		"memory.events": "low 0\nhigh 0\nmax 9\noom 1\noom_kill 3\noom_group_kill 1\n",
		"pids.current":  "2\n", "pids.max": "64\n",
	}
	dir := files(t, v2)
	want := Sample{
		CPU: 2 * time.Second, Periods: 20, Throttles: 10, Throttled: 500 * time.Millisecond,
		Memory: 4096, MemoryPeak: 8192, OOMKills: 3, Threads: 2, ThreadsLimit: 64,
	}
	g := Groups{V2: true, Unified: dir, CPU: dir, Memory: dir, Pids: dir}
	var got Sample
	if err := Read(g, &got); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if err := os.Remove(filepath.Join(dir, "memory.peak")); err != nil {
		t.Fatal(err)
	}
	want.MemoryPeak, got = 0, Sample{}
	if err := Read(g, &got); err != nil || got != want {
		t.Errorf("an older kernel: %+v, %v", got, err)
	}
}

func TestReadOfWhatIsGoneOrBroken(t *testing.T) {
	var got Sample
	if err := Read(Groups{CPU: "/no", CPUAcct: "/no", Memory: "/no", Pids: "/no"}, &got); err != nil || got != (Sample{}) {
		t.Errorf("gone: %+v, %v", got, err)
	}
	dir := files(t, map[string]string{"pids.current": "many\n"})
	if err := Read(Groups{Pids: dir}, &got); err == nil || !strings.Contains(err.Error(), "pids.current") {
		t.Errorf("broken: %v", err)
	}
}
