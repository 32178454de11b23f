package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

// TestUpgrade: the executor's program is replaced and the agent restarted. Launcher and
// executor execute the new file, each once and as the same process; the task notices
// nothing, and its end is told with its output.
func TestUpgrade(t *testing.T) {
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "proffer-executor")
	install := func() {
		t.Helper()
		data, err := os.ReadFile(os.Getenv("PROFFER_TEST_EXECUTOR"))
		if err == nil {
			err = os.WriteFile(program+".new", data, 0o755)
		}
		if err == nil {
			err = os.Rename(program+".new", program)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	install()
	m := newMachine(t, func(o *Options) { o.ExecutorBinary = program })
	m.leader.run(shell("a", "echo one; while [ ! -e "+dir+"/go ]; do sleep 0.05; done; echo two; exit 7", "cpus:0.1;mem:64"))
	task := m.leader.state("a", sdk.TaskRunning).ContainerStatus.ExecutorPID
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", task))
	if err != nil {
		t.Fatal(err)
	}
	before := running(t, program)
	if len(before) != 2 {
		t.Fatalf("a launcher and an executor are wanted, there are %v", before)
	}
	for range 2 {
		install()
		m.restart()
		m.leader.until("launcher and executor run the new file", func() bool {
			for pid := range before {
				if _, _, old := outdated(pid, program); old {
					return false
				}
			}
			return true
		})
	}
	if after := running(t, program); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("the processes were %v and are %v", before, after)
	}
	if after, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", task)); err != nil || startOf(string(stat)) != startOf(string(after)) {
		t.Errorf("the task is another process: %s, %v", after, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if s := m.leader.state("a", sdk.TaskFailed); s.Message != "Command exited with status 7" {
		t.Errorf("status: %+v", s)
	}
	if got := m.output("a"); got != "one\ntwo\n" {
		t.Errorf("output: %q", got)
	}
	// New tasks come to the same executor.
	m.leader.run(shell("b", "true", "cpus:0.1;mem:64"))
	m.leader.state("b", sdk.TaskFinished)
}

// running are start times of the processes of a program, by pid.
func running(t *testing.T, program string) map[int]string {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]string{}
	for _, dir := range all {
		exe, err := os.Readlink(filepath.Join(dir, "exe"))
		if err != nil || strings.TrimSuffix(exe, " (deleted)") != program {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			t.Fatal(err)
		}
		if stat, err := os.ReadFile(filepath.Join(dir, "stat")); err == nil {
			found[pid] = startOf(string(stat))
		}
	}
	return found
}

// TestTheBrokenFileIsTriedOnce: a file that is no program leaves the old one running.
func TestTheBrokenFileIsTriedOnce(t *testing.T) {
	r := &renewals{}
	file, err := os.Stat("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if !r.first(7, file) || r.first(7, file) || !r.first(8, file) {
		t.Error("each process is told once of a file")
	}
	if _, _, old := outdated(os.Getpid(), "/proc/self/exe"); old {
		t.Error("this process runs its own file")
	}
	if path, _, old := outdated(os.Getpid(), "/bin/sh"); !old || path == "" {
		t.Errorf("this process runs %q and not /bin/sh", path)
	}
	if _, _, old := outdated(1<<22+1, "/bin/sh"); old {
		t.Error("a process that is not there runs nothing")
	}
}
