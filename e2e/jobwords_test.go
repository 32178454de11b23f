package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/e2e/words"
)

// TestWordCountJobs: split, eight mappers on two agents, of which one is killed and runs
// again, and a reducer, as jobs that run after each other; what comes out equals a direct
// count.
func TestWordCountJobs(t *testing.T) {
	c := startCluster(t, append(booted(), "--agents", "2")...)
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	began := time.Now()
	report, err := words.Play(ctx, words.Options{
		Example: "../configs/examples/jobs/wordcount", Dir: c.truth, Goroot: strings.TrimSpace(string(goroot)),
		Command: func(ctx context.Context, args ...string) *exec.Cmd {
			cmd := exec.CommandContext(ctx, filepath.Join(binaries, "proffer"), args...)
			cmd.Env = c.environ()
			return cmd
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d words, %d different, mappers on %v, in %v", report.Words, report.Different, report.Hosts, time.Since(began))
}
