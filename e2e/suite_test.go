package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk/sdktest"
)

// TestScriptSuite runs the calls of sdktest's scripts against a real cluster: what
// happens must be word for word what happens on the kernel in memory.
func TestScriptSuite(t *testing.T) {
	c := startCluster(t, "--agents", "1", "--resources", "cpus:4;mem:2048;disk:4096;ports:[0-99]")
	addr, err := os.ReadFile(filepath.Join(c.dir, "address"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(filepath.Join(c.dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sdktest.Scripts() {
		t.Run(name, func(t *testing.T) {
			// What a torn down framework's executors still hold would come later, as an offer that
			// the next script does not expect.
			eventually(t, 30*time.Second, "nothing is used by the script before", func() bool { return c.idle() })
			want := sdktest.Script(name)
			got := sdktest.RunScript(t, strings.TrimSpace(string(addr)), strings.TrimSpace(string(token)), want)
			if got != want {
				t.Errorf("the transcript differs from sdk/sdktest/testdata/%s.txt:\n%s", name, got)
			}
		})
	}
}

// idle tells whether no agent's resources are used or offered.
func (c *cluster) idle() bool {
	c.t.Helper()
	var agents []struct {
		Active    bool              `json:"active"`
		Allocated []json.RawMessage `json:"allocated_resources"`
		Offered   []json.RawMessage `json:"offered_resources"`
	}
	if err := json.Unmarshal([]byte(c.run("agent", "list", "--json")), &agents); err != nil {
		c.t.Fatal(err)
	}
	for _, a := range agents {
		if !a.Active || len(a.Allocated)+len(a.Offered) > 0 {
			return false
		}
	}
	return len(agents) > 0
}

// TestExampleModules builds the example programs and runs their tests as their
// authors would: each is a module of its own, which `./...` leaves out.
func TestExampleModules(t *testing.T) {
	for _, dir := range []string{"frameworks/wordcount", "apps/web"} {
		for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
			cmd := exec.Command("go", args...)
			cmd.Dir = "../configs/examples/" + dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: go %s: %v\n%s", dir, strings.Join(args, " "), err, out)
			}
		}
	}
}
