package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRun tells what `proffer run` promises: the output, the exit code, the user, the files
// and the environment of a task, and its refusals.
func TestRun(t *testing.T) {
	c := startCluster(t)
	t.Run("output and success", func(t *testing.T) {
		r := c.try("run", "--", "sh", "-c", "echo out; echo err >&2")
		if r.code != 0 || r.out != "out\n" || r.talk != "err\n" {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("much output", func(t *testing.T) {
		r := c.try("run", "--", "seq", "200000")
		if lines := strings.Count(r.out, "\n"); r.code != 0 || lines != 200000 || !strings.HasSuffix(r.out, "\n200000\n") {
			t.Errorf("exit code %d, %d lines of 200000; %s", r.code, lines, r.talk)
		}
	})
	t.Run("exit code", func(t *testing.T) {
		if r := c.try("run", "--", "sh", "-c", "exit 7"); r.code != 7 {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("signal", func(t *testing.T) {
		if r := c.try("run", "--", "sh", "-c", "kill -TERM $$"); r.code != 128+15 {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("no such program", func(t *testing.T) {
		if r := c.try("run", "--", "no-such-program"); r.code != 127 || !strings.Contains(r.talk, "no-such-program") {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("file and environment", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "job.sh")
		if err := os.WriteFile(name, []byte("#!/bin/sh\necho $GREETING from a file\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if r := c.try("run", "--file", name, "--env", "GREETING=hello", "--", "./job.sh"); r.out != "hello from a file\n" {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("files too large", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "large")
		if err := os.WriteFile(name, make([]byte, 512<<10+1), 0o644); err != nil {
			t.Fatal(err)
		}
		if r := c.try("run", "--file", name, "--", "true"); r.code != 2 || !strings.Contains(r.talk, "524289") {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("user", func(t *testing.T) {
		needRoot(t)
		if r := c.try("run", "--", "id", "-u"); strings.TrimSpace(r.out) == "0" || r.code != 0 {
			t.Errorf("a task ran as %+v", r)
		}
		if r := c.try("run", "--user", "daemon", "--", "true"); r.code != 125 || !strings.Contains(r.talk, "daemon") {
			t.Errorf("another user without the right: %+v", r)
		}
		if r := c.try("run", "--user", "no-such-user", "--", "true"); r.code != 125 || !strings.Contains(r.talk, "no-such-user") {
			t.Errorf("an unknown user: %+v", r)
		}
	})
	t.Run("wrong command lines", func(t *testing.T) {
		for _, args := range [][]string{{"run"}, {"run", "--cpus", "x", "--", "true"}, {"run", "--mem", "-1", "--", "true"}, {"run", "--cpus", "NaN", "--", "true"}, {"run", "--cpu-limit", "-1", "--", "true"}, {"run", "--ports", "-1", "--", "true"}, {"nonsense"}, {"kill"}, {"run", "--file", "/no/such/file", "--", "true"}} {
			if r := c.try(args...); r.code != 2 || r.talk == "" {
				t.Errorf("%v: %+v", args, r)
			}
		}
		if r := c.try("kill", "no-such-task"); r.code != 3 {
			t.Errorf("kill of an unknown task: %+v", r)
		}
		if r := c.try("framework", "teardown", "nosuch"); r.code != 3 {
			t.Errorf("teardown of an unknown framework: %+v", r)
		}
		for _, verb := range [][]string{{"ps"}, {"status"}, {"run", "--", "true"}} {
			if r := c.try(append([]string{"--addr", "127.0.0.1:1"}, verb...)...); r.code != 8 {
				t.Errorf("%v where no master answers: %+v", verb, r)
			}
		}
	})
}

// TestTaskLife tells of a detached task: listed, followed, killed with its children.
func TestTaskLife(t *testing.T) {
	c := startCluster(t)
	pidFile := filepath.Join(c.truth, "pids")
	task := strings.TrimSpace(c.run("run", "--detach", "--", "sh", "-c", "trap 'echo got TERM' TERM; sleep 1000 & echo $$ $! > "+pidFile+"; while :; do wait; done"))
	eventually(t, 10*time.Second, "the task writes its pids", func() bool { return strings.HasSuffix(read(t, pidFile), "\n") })
	if list := c.run("ps"); !strings.Contains(list, task) || !strings.Contains(list, "running") {
		t.Errorf("ps: %s", list)
	}
	if list := c.run("ps", "--json"); !strings.Contains(list, `"TASK_RUNNING"`) {
		t.Errorf("ps --json: %s", list)
	}
	begin := time.Now()
	c.run("kill", "--grace", "1s", task)
	if took := time.Since(begin); took < 900*time.Millisecond {
		t.Errorf("the grace of a second lasted %s", took)
	}
	for _, pid := range strings.Fields(read(t, pidFile)) {
		if _, err := os.Stat("/proc/" + pid); err == nil {
			t.Errorf("process %s of the killed task lives", pid)
		}
	}
	if out := c.run("logs", task); !strings.Contains(out, "got TERM") {
		t.Errorf("the log of the task: %q", out)
	}
	if list := c.run("ps", "--all"); !strings.Contains(list, "killed") {
		t.Errorf("ps --all: %s", list)
	}
}

// TestJSON: what programs read is JSON.
func TestJSON(t *testing.T) {
	c := startCluster(t)
	c.try("run", "--", "sh", "-c", "exit 3")
	for _, args := range [][]string{{"ps", "--all"}, {"status"}, {"agent", "list"}, {"framework", "list", "--all"}, {"version"}} {
		r := c.try(append(args, "--json")...)
		var value any
		if err := json.Unmarshal([]byte(r.out), &value); err != nil || r.code != 0 {
			t.Errorf("%v --json: %v: %+v", args, err, r)
		}
	}
	var st struct {
		Healthy bool
		Leader  string
		Failed  []struct{ Why string }
	}
	if err := json.Unmarshal([]byte(c.run("status", "--json")), &st); err != nil || !st.Healthy || st.Leader != c.addr() || len(st.Failed) != 1 {
		t.Errorf("status --json: %+v, %v", st, err)
	}
}

// TestVanishedRun: a `run` that is gone takes its task along after a minute; one that was
// detached leaves it.
func TestVanishedRun(t *testing.T) {
	t.Parallel() // it mostly waits
	c := startCluster(t)
	pids := func(name string) string { return strings.TrimSpace(read(t, filepath.Join(c.truth, name))) }
	c.run("run", "--detach", "--", "sh", "-c", "echo $$ > "+filepath.Join(c.truth, "detached")+"; exec sleep 1000")
	cmd := exec.Command(filepath.Join(binaries, "proffer"), "run", "--", "sh", "-c", "echo $$ > "+filepath.Join(c.truth, "vanished")+"; exec sleep 1000")
	cmd.Env = c.environ()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "both tasks run", func() bool { return pids("detached") != "" && pids("vanished") != "" })
	begin := time.Now()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	gone := func(name string) bool { _, err := os.Stat("/proc/" + pids(name)); return err != nil }
	eventually(t, 90*time.Second, "the vanished run's task ends", func() bool { return gone("vanished") })
	if took := time.Since(begin); took < 50*time.Second {
		t.Errorf("the task ended after %s: a `run` may be away for a minute", took)
	}
	if gone("detached") {
		t.Error("the detached task is gone")
	}
}
