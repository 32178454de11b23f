package cgroup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSettings shows side by side what the two drivers write for the same limits.
func TestSettings(t *testing.T) {
	l := limits{shares: 512, quota: 50000, hard: 128 << 20, soft: 64 << 20, pids: 100}
	text := func(settings []setting) string {
		var out []string
		for _, s := range settings {
			if !strings.HasPrefix(s.file, s.controller+".") {
				t.Errorf("%s is no file of %s", s.file, s.controller)
			}
			out = append(out, s.file+"="+s.value)
		}
		return strings.Join(out, " ")
	}
	for _, tt := range []struct{ got, want string }{
		{text(settingsV1(l)), "cpu.shares=512 cpu.cfs_quota_us=50000 memory.limit_in_bytes=134217728 memory.memsw.limit_in_bytes=134217728 memory.soft_limit_in_bytes=67108864 pids.max=100"},
		{text(settingsV2(l)), "cpu.weight=50 cpu.max=50000 100000 memory.max=134217728 memory.swap.max=0 memory.oom.group=1 memory.low=67108864 pids.max=100"},
		{text(settingsV1(limits{shares: 2, quota: -1, pids: 7})), "cpu.shares=2 pids.max=7"},
		{text(settingsV2(limits{shares: 2, quota: -1, pids: 7})), "cpu.weight=1 pids.max=7"},
		{text(settingsV2(limits{shares: 1 << 18, quota: -1, pids: 7})), "cpu.weight=10000 pids.max=7"},
	} {
		if tt.got != tt.want {
			t.Errorf("got  %s\nwant %s", tt.got, tt.want)
		}
	}
}

// TestWeightIsProportional: what is granted 1:3 is weighed 1:3 on v2, too.
func TestWeightIsProportional(t *testing.T) {
	if one, three := weight(1024), weight(3*1024); one != 100 || three != 300 {
		t.Errorf("1 cpu weighs %d, 3 cpus weigh %d", one, three)
	}
}

// TestReadBackNoticesAClampedLimit uses a limit that the kernel changes silently.
func TestReadBackNoticesAClampedLimit(t *testing.T) {
	i := needGroups(t, nil)
	dir := i.driver.find("cpu").group("clamped")
	if err := makeGroup(dir); err != nil {
		t.Fatal(err)
	}
	if err := (setting{file: "cpu.shares", value: "1"}).apply(dir); err == nil || !strings.Contains(err.Error(), "says 2 after 1 was written") {
		t.Errorf("a clamped limit: %v", err)
	}
	if err := (setting{file: "cpu.nothing", value: "1"}).apply(dir); err == nil {
		t.Error("a file that is not there was written")
	}
	if err := (setting{file: "cpu.nothing", value: "1", optional: true}).apply(dir); err != nil {
		t.Errorf("an optional file that is not there: %v", err)
	}
}

// TestOOMCounterOfV2 prefers the group's own counter.
func TestOOMCounterOfV2(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := oomKillsV2(dir); !gone(err) {
		t.Errorf("no group: %v", err)
	}
	put("memory.events", "oom 1\noom_kill 5\noom_group_kill 1\n")
	if n, err := oomKillsV2(dir); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	put("memory.events.local", "oom_kill 2\n")
	if n, err := oomKillsV2(dir); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
