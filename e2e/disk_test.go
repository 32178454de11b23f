package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// needMounts asks for what a small tmpfs needs.
func needMounts(t *testing.T) {
	t.Helper()
	needRoot(t)
	needTool(t, "unshare")
	needTool(t, "mount")
}

// smallCluster has an agent on a tmpfs of that size.
func smallCluster(t *testing.T, size string, args ...string) *cluster {
	t.Helper()
	needMounts(t)
	c := newCluster(t, args...)
	c.small = size
	c.start()
	return c
}

// inside is a path of the cluster's own mount namespace, as this process can reach it.
func (c *cluster) inside(path string) string {
	return "/proc/" + strconv.Itoa(c.cmd.Process.Pid) + "/root" + path
}

// TestFullDisk: a full disk fails the launch with that reason, and when there is space
// again the next launch works.
func TestFullDisk(t *testing.T) {
	c := smallCluster(t, "32m", "--resources", "cpus:4;mem:1024")
	s := startStream(t, c, "disk")
	if st := s.wait(s.add("before", "true", 0.1, 32), 20*time.Second, ended); st.State != sdk.TaskFinished {
		t.Fatalf("before: %s %s", st.State, st.Message)
	}
	fill := c.inside(filepath.Join(c.dir, "agent0", "fill"))
	f, err := os.Create(fill)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	f.Close()
	st := s.wait(s.add("full", "true", 0.1, 32), 20*time.Second, ended)
	if st.State == sdk.TaskFinished || !strings.Contains(st.Message, "space") {
		t.Errorf("on a full disk: %s %s %q", st.State, st.Reason, st.Message)
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	if st := s.wait(s.add("after", "true", 0.1, 32), 20*time.Second, ended); st.State != sdk.TaskFinished {
		t.Errorf("with space again: %s %s", st.State, st.Message)
	}
}

// TestSmallDisk: an agent on a small tmpfs runs 10,000 tasks of 100 KB output and goes on.
func TestSmallDisk(t *testing.T) {
	needCgroups(t)
	const tasks = 10_000
	c := smallCluster(t, "64m", "--resources", "cpus:8;mem:64000") // 80 at once: 8 MB
	s := startStream(t, c, "output")
	var last sdk.TaskID
	for i := range tasks {
		last = s.add(fmt.Sprintf("out-%d", i), "head -c 100000 /dev/zero", 0.1, 32)
	}
	eventually(t, 6*time.Minute, "all of them have ended", func() bool { return s.endedCount() == tasks })
	if bad := s.notFinished(); len(bad) > 0 {
		t.Errorf("%d of %d tasks did not finish: %v", len(bad), tasks, bad[:min(len(bad), 5)])
	}
	out := c.try("logs", string(last))
	if len(out.out) != 100_000 {
		t.Errorf("the newest output has %d bytes; %s", len(out.out), out.talk)
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(c.inside(filepath.Join(c.dir, "agent0")), &st); err != nil {
		t.Fatal(err)
	}
	if full := 1 - float64(st.Bavail)/float64(st.Blocks); full > 0.97 {
		t.Errorf("the disk is %.0f %% full", 100*full)
	}
}

// endedCount is how many tasks have been told to have ended.
func (s *stream) endedCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, all := range s.states {
		if ended(all[len(all)-1].State) {
			n++
		}
	}
	return n
}

// notFinished are the ends that were no success.
func (s *stream) notFinished() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for id, all := range s.states {
		if st := all[len(all)-1]; ended(st.State) && st.State != sdk.TaskFinished {
			out = append(out, fmt.Sprintf("%s %s %s", id, st.State, st.Message))
		}
	}
	return out
}

// TestDamagedCheckpoint: an agent whose checkpoint is damaged names the file and what is
// lost, instead of guessing.
func TestDamagedCheckpoint(t *testing.T) {
	c := startCluster(t)
	c.run("run", "--", "true")
	c.stop()
	name := filepath.Join(c.dir, "agent0", "checkpoint", "ledger")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/3] ^= 0xff
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	said := startAgentAlone(t, c)
	eventually(t, 10*time.Second, "the damage is named", func() bool {
		return strings.Contains(said(), name) && strings.Contains(said(), "lost")
	})
}

// TestUnreachableWorkDir: a work directory that the task's user cannot reach is named at
// the start.
func TestUnreachableWorkDir(t *testing.T) {
	needRoot(t)
	closed := t.TempDir() // 0700 above it
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	c := newCluster(t)
	c.dir = filepath.Join(closed, "up")
	if err := c.launch(); err == nil {
		t.Error("it serves")
	} else {
		c.cmd = nil
	}
	if !strings.Contains(c.talk(), closed) {
		t.Errorf("the closed directory is not named: %s", c.talk())
	}
}
