package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
)

// said is what a command line gave.
type said struct {
	code      int
	out, talk string
	took      time.Duration
}

// command runs a command line against the kernel of a memory network.
func command(t *testing.T, net *sdktest.Memory, args ...string) said {
	t.Helper()
	var out, talk bytes.Buffer
	c := &client{io: stdio{strings.NewReader(""), &out, &talk}, transport: net}
	begin := time.Now()
	args = append([]string{args[0], "--addr", "master:5050", "--token", "sdktest", "--up-dir", t.TempDir()}, args[1:]...)
	code := execute(t.Context(), args, c)
	return said{code, out.String(), talk.String(), time.Since(begin)}
}

// A task that no agent could ever hold is waited for, but not in silence, and not for longer
// than --timeout.
func TestRunSaysWhatNeverFits(t *testing.T) {
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"--cpus", "5"}, "cpus:5 is asked for, and no agent has more than 4 in all"},
		{[]string{"--mem", "9000"}, "mem:9000 is asked for, and no agent has more than 8192 in all"},
		{[]string{"--ports", "101"}, "ports:101 is asked for, and no agent has more than 100 in all"},
		{[]string{"--cpus", "3", "--mem", "5000"}, "no agent has cpus:3;mem:5000 together"},
	} {
		synctest.Test(t, func(t *testing.T) {
			net := &sdktest.Memory{}
			k := sdktest.New(t, sdktest.Options{Network: net, Agents: []sdktest.Agent{
				{Resources: "cpus:4;mem:4096;ports:[31000-31099]"}, {Resources: "cpus:2;mem:8192;cpus(ads):64;ports:[31000-31009]"}}})
			r := command(t, net, append(append([]string{"run", "--timeout", "95s"}, row.args...), "--", "true")...)
			if r.code != exitTimeout || r.took != 95*time.Second {
				t.Errorf("%v: exit code %d after %v", row.args, r.code, r.took)
			}
			if n := strings.Count(r.talk, "proffer run: waiting for a larger agent; "+row.want); n != 4 { // after 2, 32, 62, 92 s
				t.Errorf("%v: said %d times so:\n%s", row.args, n, r.talk)
			}
			if !strings.Contains(r.talk, "did not start within 1m35s: ") {
				t.Errorf("%v: in the end:\n%s", row.args, r.talk)
			}
			k.Close()
		})
	}
}

// --timeout bounds the wait for the start, not the task; and a full cluster is not one that
// is too small.
func TestRunTimeoutIsForTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &sdktest.Memory{}
		k := sdktest.New(t, sdktest.Options{Network: net})
		r := command(t, net, "run", "--timeout", "1m", "--", "sleep", "7200")
		if r.code != 0 || r.took < 2*time.Hour || strings.Contains(r.talk, "waiting") {
			t.Errorf("exit code %d after %v\n%s", r.code, r.took, r.talk)
		}
		if r := command(t, net, "run", "--detach", "--cpus", "3", "--", "sleep", "7200"); r.code != 0 {
			t.Fatalf("exit code %d\n%s", r.code, r.talk)
		}
		r = command(t, net, "run", "--timeout", "10s", "--cpus", "3", "--", "true")
		if r.code != exitTimeout || r.took != 10*time.Second || !strings.Contains(r.talk, "no offer is large enough (the last had cpus:1;") {
			t.Errorf("exit code %d after %v\n%s", r.code, r.took, r.talk)
		}
		if n := len(k.Running()); n != 1 {
			t.Errorf("%d tasks run afterwards", n)
		}
		k.Close()
	})
}

func TestRunRefusesItsCommandLine(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"x", "y"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, d, "a"), []byte(d), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	x, y := filepath.Join(dir, "x", "a"), filepath.Join(dir, "y", "a")
	for _, row := range []struct {
		args []string
		want []string
	}{
		{[]string{"--cpus", "1e30"}, []string{"--cpus 1e+30: ", "value > 1000000000000"}},
		{[]string{"--mem", "1e300"}, []string{"--mem 1e+300: "}},
		{[]string{"--disk", "-1"}, []string{"--disk -1: ", "value <= 0"}},
		{[]string{"--cpus", "nan"}, []string{"--cpus NaN: "}},
		{[]string{"--cpus", "0.0001"}, []string{"--cpus 0.0001: "}},
		{[]string{"--cpu-limit", "inf"}, []string{"--cpu-limit +Inf: "}},
		{[]string{"--mem-limit", "-3"}, []string{"--mem-limit -3: "}},
		{[]string{"--ports", "70000"}, []string{"--ports 70000: "}},
		{[]string{"--timeout", "-1s"}, []string{"--timeout -1s: "}},
		{[]string{"--name", "a\nb"}, []string{"--name: has the character"}},
		{[]string{"--user", "a\x1b"}, []string{"--user: has the character"}},
		{[]string{"--file", x, "--file", y}, []string{x, y, "both be a in the sandbox"}},
	} {
		r := command(t, &sdktest.Memory{}, append(append([]string{"run"}, row.args...), "--", "true")...)
		if r.code != exitUsage {
			t.Errorf("%q: exit code %d", row.args, r.code)
		}
		for _, want := range row.want {
			if !strings.Contains(r.talk, want) {
				t.Errorf("%q: does not say %q: %s", row.args, want, r.talk)
			}
		}
	}
}

func TestUpRefusesWhatNoAgentCouldOffer(t *testing.T) {
	for _, args := range [][]string{{"--resources", "cpus:-1"}, {"--resources", "cpus"}, {"--agents", "2", "--resources", "cpus:1", "--resources", "mem:x:"}, {"--attributes", "rack:"}} {
		dir := filepath.Join(t.TempDir(), "up")
		var talk bytes.Buffer
		c := &client{io: stdio{strings.NewReader(""), &talk, &talk}}
		if code := execute(t.Context(), append([]string{"up", "--dir", dir}, args...), c); code != exitUsage || !strings.Contains(talk.String(), args[len(args)-2]) {
			t.Errorf("%q: exit code %d\n%s", args, code, talk.String())
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%q: something was started", args)
		}
	}
}

func TestTaskIDsAreNoFlags(t *testing.T) {
	for name, want := range map[string]string{"sleep": "sleep-", "\x1b[2J": "2J-", "--help": "help-", "../x": "x-", "…": "task-", "": "task-", "_a.b": "a-b-", strings.Repeat("x", 300): strings.Repeat("x", 100) + "-"} {
		id := newTaskID(name)
		if rest, ok := strings.CutPrefix(string(id), want); !ok || len(rest) != 8 {
			t.Errorf("%q makes the id %q", name, id)
		}
		if err := sdk.ValidateID("task_id", id); err != nil {
			t.Error(err)
		}
	}
}

// Text of frameworks and tasks can forge neither a row nor a colour.
func TestTablesShowControlCharacters(t *testing.T) {
	var out bytes.Buffer
	err := table(&out, []string{"NAME", "STATE"}, [][]string{
		{"n\x00\x1b[2Jx\nY", "running"}, {"a\tb\r\u0085\u202e", ""}, {"bad\xff\xc3(", "zwölf 十二 \\ 'q'"}})
	want := "NAME                STATE\n" +
		`n\x00\x1b[2Jx\nY    running` + "\n" +
		`a\tb\r\u0085\u202e  -` + "\n" +
		`bad\xff\xc3(        zwölf 十二 \ 'q'` + "\n"
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out.String(), want)
	}
}
