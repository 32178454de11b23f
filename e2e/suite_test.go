package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk/sdktest"
)

// TestScriptSuite runs the calls of sdktest's scripts against a real cluster: what
// happens must be word for word what happens on the kernel in memory.
func TestScriptSuite(t *testing.T) {
	c := startCluster(t, "--agents", "1", "--resources", "cpus:4;mem:2048;disk:4096;ports:[31000-31099]")
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
			want := sdktest.Script(name)
			got := sdktest.RunScript(t, strings.TrimSpace(string(addr)), strings.TrimSpace(string(token)), want)
			if got != want {
				t.Errorf("the transcript differs from sdk/sdktest/testdata/%s.txt:\n%s", name, got)
			}
		})
	}
}

// TestExampleModule builds the word count and runs its tests as its author would:
// it is a module of its own, which `./...` leaves out.
func TestExampleModule(t *testing.T) {
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = "../configs/examples/frameworks/wordcount"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
