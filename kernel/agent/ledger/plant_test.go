package ledger

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestPlantedBugsAreFound builds this package with each planted bug, and expects
// its tests to fail.
func TestPlantedBugsAreFound(t *testing.T) {
	if testing.Short() || plantDropTermCheck || plantForgetTombstone || plantAckBeforeStore {
		t.Skip("builds the package three times")
	}
	for _, tag := range []string{"plant_drop_term_check", "plant_forget_tombstone", "plant_ack_before_store"} {
		t.Run(tag, func(t *testing.T) {
			cmd := exec.Command("go", "test", "-count=1", "-tags", tag, "-run", "^(TestScripts|TestModel)$", ".", "-rapid.nofailfile")
			cmd.Env = append(os.Environ(), "GOFLAGS=")
			out, err := cmd.CombinedOutput()
			var failed *exec.ExitError
			if err == nil {
				t.Fatalf("the tests pass with the planted bug %s", tag)
			}
			if !errors.As(err, &failed) || !strings.Contains(string(out), "--- FAIL") {
				t.Fatalf("the tests did not run: %v\n%s", err, out)
			}
		})
	}
}
