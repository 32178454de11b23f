package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// smallDisk mounts a tmpfs for an agent's work directory.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=755"); err != nil {
		if os.Getenv("PROFFER_TEST_NOSKIP") != "" {
			t.Fatalf("mount a small disk: %v", err)
		}
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestSmallDiskGoesOn runs tasks whose output is far more than the disk holds:
// sandboxes and logs of ended tasks go, the oldest first.
func TestSmallDiskGoesOn(t *testing.T) {
	dir := smallDisk(t, "32m")
	m := newMachine(t, func(o *Options) { o.Dir = filepath.Join(dir, "agent") })
	for i := range 20 {
		var tasks []sdk.TaskInfo
		for j := range 25 {
			tasks = append(tasks, shell(fmt.Sprintf("t%d", 25*i+j), "head -c 100000 /dev/zero", "cpus:0.01;mem:32"))
		}
		m.leader.run(tasks...)
		for j := range 25 {
			m.leader.state(sdk.TaskID(fmt.Sprintf("t%d", 25*i+j)), sdk.TaskFinished)
		}
	}
	if got := m.output("t499"); len(got) != 100000 {
		t.Errorf("the last task's output has %d bytes", len(got))
	}
}

// TestFullDisk is a launch on a full disk: it fails with that reason, and the next
// one succeeds when space has returned.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "24m")
	m := newMachine(t, func(o *Options) { o.Dir = filepath.Join(dir, "agent"); o.SandboxFull = 1 })
	m.leader.run(shell("before", "true", "cpus:0.01;mem:32"))
	m.leader.state("before", sdk.TaskFinished)
	ballast := filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for {
		if _, err := f.Write(block); err != nil {
			break
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// Some launches go until the last block is used.
	failed := false
	for i := 0; i < 200 && !failed; i++ {
		id := sdk.TaskID(fmt.Sprintf("full%d", i))
		m.leader.run(shell(string(id), "true", "cpus:0.01;mem:32"))
		m.leader.until("an end of "+string(id), func() bool {
			list := m.leader.states[id]
			if len(list) == 0 || !terminal(list[len(list)-1].State) {
				return false
			}
			s := list[len(list)-1]
			failed = s.State == sdk.TaskFailed && strings.Contains(s.Message, "no space left")
			if failed && s.Reason != sdk.ReasonContainerLaunchFailed && s.Reason != sdk.ReasonContainerLimitationDisk {
				t.Errorf("reason %s", s.Reason)
			}
			return true
		})
	}
	if !failed {
		t.Fatal("no launch failed on a full disk")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for limit := time.After(20 * time.Second); m.agent.journal.reserve.full(); {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-limit:
			t.Fatal("the reserve is not taken again")
		}
	}
	m.leader.run(shell("after", "true", "cpus:0.01;mem:32"))
	m.leader.state("after", sdk.TaskFinished)
}
