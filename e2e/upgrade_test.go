package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// programs are what a cluster runs.
func programs() []string { return []string{"proffer", "proffer-executor"} }

// build gives a directory with both programs, built as a version.
func build(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-X main.version="+version, "-o", dir+"/", "./cmd/proffer", "./cmd/proffer-executor")
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0") // as all tests' are
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// install puts both programs of a directory into the cluster's own, in place of what is
// there. What runs there goes on with the file that it had.
func (c *cluster) install(from string) {
	c.t.Helper()
	for _, name := range programs() {
		path := filepath.Join(c.bin, name)
		if err := errors.Join(copyFile(filepath.Join(from, name), path+".new"), os.Rename(path+".new", path)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// ownPrograms has the cluster run programs of its own from now on, which are all tests'.
func (c *cluster) ownPrograms() {
	c.t.Helper()
	c.bin = filepath.Join(filepath.Dir(c.dir), "bin")
	if err := os.Mkdir(c.bin, 0o755); err != nil {
		c.t.Fatal(err)
	}
	c.install(binaries)
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

// runs are the processes of a program of the cluster's, and whether each runs its new file.
func (c *cluster) runs(name string) (current, old int) {
	c.t.Helper()
	path := filepath.Join(c.bin, name)
	file, err := os.Stat(path)
	if err != nil {
		c.t.Fatal(err)
	}
	all, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		c.t.Fatal(err)
	}
	for _, exe := range all {
		link, err := os.Readlink(exe)
		if err != nil || strings.TrimSuffix(link, " (deleted)") != path {
			continue
		}
		if runs, err := os.Stat(exe); err == nil && os.SameFile(runs, file) {
			current++
		} else if err == nil {
			old++
		}
	}
	return current, old
}

// TestUpgradeUnderTasks: the files of both programs are replaced by another version, and
// each master is restarted in turn, each agent by kill -9. Launchers and
// executors execute the new file; no task notices anything, and new ones run.
func TestUpgradeUnderTasks(t *testing.T) {
	c := newCluster(t, "--masters", "3", "--agents", "2", "--resources", "cpus:2;mem:1024;disk:1024", "--resources", "cpus:2;mem:1024;disk:1024")
	c.ownPrograms()
	c.start()
	c.settled(3)
	c.writers(4)
	was := c.undisturbed(4, nil)
	executors, _ := c.runs("proffer-executor")
	c.install(build(t, "9.9.9"))
	if now, old := c.runs("proffer-executor"); now != 0 || old != executors {
		t.Fatalf("of %d launchers and executors %d run the new file before anything was restarted", executors, now)
	}
	for addr := range c.masters() {
		if err := syscall.Kill(c.masterPID(addr), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		eventually(t, 30*time.Second, addr+" is of the new version", func() bool {
			for _, line := range strings.Split(c.try("cluster", "members").out, "\n") {
				if strings.Contains(line, addr) && strings.Contains(line, "9.9.9") {
					return true
				}
			}
			return false
		})
		c.settled(3)
	}
	for _, agent := range []string{"agent0", "agent1"} { // SIGTERM would end the tasks of an agent of `up`
		kill9(t, c.one(" agent --dir "+c.dir+"/"+agent))
	}
	eventually(t, 30*time.Second, "launchers and executors run the new file", func() bool {
		now, old := c.runs("proffer-executor")
		return old == 0 && now == executors
	})
	eventually(t, 20*time.Second, "both agents are of the new version", func() bool {
		return strings.Count(c.run("agent", "list", "--json"), `"version":"9.9.9"`) == 2 && strings.Contains(c.run("status"), "healthy")
	})
	c.undisturbed(4, was)
	if got := c.run("run", "--cpus", "0.1", "--mem", "32", "--", "echo", "new"); got != "new\n" {
		t.Errorf("a task after the upgrade printed %q", got)
	}
	c.undisturbed(4, was)
}
