package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestREADMECommands runs the commands of the README's tour against a cluster, in their
// order; TASK stands for the task that the tour has detached.
func TestREADMECommands(t *testing.T) {
	commands := regexp.MustCompile(`(?m)^bin/proffer (.*)$`).FindAllStringSubmatch(read(t, "../README.md"), -1)
	if len(commands) < 9 {
		t.Fatalf("only %d commands found", len(commands))
	}
	c := startCluster(t, append(booted(), "--agents", "2")...)
	task := ""
	for _, m := range commands {
		line, _, _ := strings.Cut(m[1], "  #")
		if strings.HasPrefix(line, "up ") {
			continue // it runs: this is what startCluster did
		}
		line = strings.ReplaceAll(strings.TrimSpace(line), "TASK", task)
		line = strings.ReplaceAll(line, "logs -f", "logs") // a follower ends with its task
		cmd := exec.Command("sh", "-c", filepath.Join(binaries, "proffer")+" "+line)
		cmd.Env, cmd.Dir = c.environ(), ".."
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("bin/proffer %s: %v\n%s", line, err, out)
		}
		if strings.Contains(line, "--detach") {
			task = strings.TrimSpace(string(out))
		}
	}
}

// TestREADMEMakeTargets tells that every make target of the README exists.
func TestREADMEMakeTargets(t *testing.T) {
	makefile := read(t, "../Makefile")
	for _, m := range regexp.MustCompile("make ([a-z]+)").FindAllStringSubmatch(read(t, "../README.md"), -1) {
		if !regexp.MustCompile(`(?m)^`+m[1]+`:`).MatchString(makefile) && m[1] != "and" {
			t.Errorf("the README speaks of `make %s`, the Makefile does not", m[1])
		}
	}
}

// TestREADMEDependencies tells that every direct dependency has its reason.
func TestREADMEDependencies(t *testing.T) {
	readme := read(t, "../README.md")
	for _, m := range regexp.MustCompile(`(?m)^\s+(\S+) v\S+$`).FindAllStringSubmatch(read(t, "../go.mod"), -1) {
		name := strings.TrimPrefix(m[1], "github.com/")
		if !strings.Contains(readme, name) {
			t.Errorf("%s has no reason in the README", m[1])
		}
	}
	if strings.Contains(read(t, "../go.mod"), "replace") {
		t.Error("go.mod has a replace line: `go install …@latest` refuses one")
	}
}

// TestConfigs loads every example of configs with the daemon that it is for.
func TestConfigs(t *testing.T) {
	for _, daemon := range []string{"master", "agent", "marathonish", "chronosish"} {
		name := filepath.Join("..", "configs", daemon+".yaml")
		if _, err := os.Stat(name); err != nil {
			t.Errorf("the %s has no example: %v", daemon, err)
			continue
		}
		out, err := exec.Command(filepath.Join(binaries, "proffer"), daemon, "--config", name, "--check-config").CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
