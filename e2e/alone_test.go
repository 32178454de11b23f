package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// startAgentAlone starts agent0 of a stopped cluster without `up`, and gives what it says.
func startAgentAlone(t *testing.T, c *cluster) func() string {
	t.Helper()
	return watch(t, exec.Command(filepath.Join(binaries, "proffer"), "agent", "--dir", filepath.Join(c.dir, "agent0"), "--bind", "127.0.0.1",
		"--port", strconv.Itoa(5051+c.offset), "--gossip-port", "0", "--masters", c.addr(), "--key", filepath.Join(c.dir, "key"), "--resources", "cpus:1;mem:128", "--kill-tasks-on-stop"))
}

// TestWithoutRoot: an agent without root starts, says which isolators it lacks, and runs
// tasks.
func TestWithoutRoot(t *testing.T) {
	needRoot(t) // to become somebody else
	c := newCluster(t, "--resources", "cpus:2;mem:512")
	c.as = &syscall.Credential{Uid: 65534, Gid: 65534}
	if err := os.Chown(c.dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	c.start()
	if !strings.Contains(c.talk(), "cgroup") {
		t.Errorf("the start does not say what is missing: %s", c.talk())
	}
	token := "PROFFER_TOKEN=" + c.token()
	cmd := exec.Command(filepath.Join(binaries, "proffer"), "run", "--", "sh", "-c", "id -u; exit 3")
	cmd.Env = append(c.environ(), token)
	out, err := cmd.Output()
	if cmd.ProcessState.ExitCode() != 3 || strings.TrimSpace(string(out)) != "65534" {
		t.Errorf("a task: %q, %v", out, err)
	}
}

// TestPythonFramework: a framework in another language, with nothing but HTTP and JSON.
func TestPythonFramework(t *testing.T) {
	python := needTool(t, "python3")
	c := startCluster(t)
	cmd := exec.Command(python, "testdata/framework.py", fmt.Sprintf("http://%s", c.addr()), c.token())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "TASK_FINISHED") {
		t.Errorf("%v\n%s", err, out)
	}
}
