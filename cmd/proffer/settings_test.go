package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// daemons are the settings of all daemons at their defaults.
func daemons() map[string]*settings {
	m := masterDefaults()
	a := agentDefaults()
	return map[string]*settings{
		"master": masterSettings(&m), "agent": agentSettings(&a),
		"marathonish": marathonishDaemon().settings, "chronosish": chronosishDaemon().settings,
	}
}

func flagsOf(s *settings) *pflag.FlagSet {
	cmd := &cobra.Command{Use: "x"}
	s.register(cmd)
	return cmd.Flags()
}

// TestExamplesHaveEveryKeyAtItsDefault holds configs/*.yaml against the tables.
func TestExamplesHaveEveryKeyAtItsDefault(t *testing.T) {
	for name, s := range daemons() {
		flags := flagsOf(s)
		s.file = filepath.Join("..", "..", "configs", name+".yaml")
		keys, err := s.read()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range s.rows {
			i := slices.IndexFunc(keys, func(k key) bool { return k.name == row.name })
			if i < 0 {
				t.Errorf("%s: the key %s is missing", s.file, row.name)
				continue
			}
			want := flags.Lookup(row.name).DefValue
			if got := keys[i].text; got != strings.Trim(want, "[]") {
				t.Errorf("%s:%d: %s is %q, its default is %q", s.file, keys[i].line, row.name, got, want)
			}
		}
		if err := s.load(flags); err != nil {
			t.Error(err)
		}
	}
}

// TestOrder: a flag wins over the environment, which wins over the file.
func TestOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(file, []byte("hostname: file\ntask-user: file\nkill-grace: 7s\nmasters: [a:1, b:2]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PROFFER_AGENT_HOSTNAME", "env")
	t.Setenv("PROFFER_AGENT_TASK_USER", "env")
	a := agentDefaults()
	s := agentSettings(&a)
	flags := flagsOf(s)
	if err := flags.Parse([]string{"--config", file, "--hostname", "flag"}); err != nil {
		t.Fatal(err)
	}
	if err := s.load(flags); err != nil {
		t.Fatal(err)
	}
	if a.o.Hostname != "flag" || a.o.TaskUser != "env" || a.o.KillGrace != 7*time.Second || !slices.Equal(a.o.Masters, []string{"a:1", "b:2"}) {
		t.Errorf("got %q %q %s %v", a.o.Hostname, a.o.TaskUser, a.o.KillGrace, a.o.Masters)
	}
}

// TestProfile: a profile fills in what nobody has set, and every key of one is a key.
func TestProfile(t *testing.T) {
	m := masterDefaults()
	s := masterSettings(&m)
	flags := flagsOf(s)
	if err := flags.Parse([]string{"--profile", "fast", "--recovery-timeout", "77s"}); err != nil {
		t.Fatal(err)
	}
	if err := s.load(flags); err != nil {
		t.Fatal(err)
	}
	if m.o.Mind.AgentTimeout != 1500*time.Millisecond || m.raft != 150*time.Millisecond || m.o.Mind.RecoveryTimeout != 77*time.Second {
		t.Errorf("got %v %v %v", m.o.Mind.AgentTimeout, m.raft, m.o.Mind.RecoveryTimeout)
	}
	for name, s := range daemons() {
		for profile := range s.profiles {
			flags := flagsOf(s)
			if err := flags.Parse([]string{"--profile", profile}); err != nil {
				t.Fatal(err)
			}
			if err := s.load(flags); err != nil {
				t.Errorf("%s, %s: %v", name, profile, err)
			}
		}
	}
	var talk bytes.Buffer
	code := execute(t.Context(), []string{"agent", "--profile", "slow"}, &client{io: stdio{nil, &talk, &talk}})
	if code != exitUsage || !strings.Contains(talk.String(), "default, fast") {
		t.Errorf("exit code %d: %s", code, talk.String())
	}
}

// TestWrongFileNamesEverything: each wrong line is named, and nothing starts.
func TestWrongFileNamesEverything(t *testing.T) {
	file := filepath.Join(t.TempDir(), "master.yaml")
	if err := os.WriteFile(file, []byte("port: many\nno-such-key: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var talk bytes.Buffer
	code := execute(t.Context(), []string{"master", "--config", file}, &client{io: stdio{nil, &talk, &talk}})
	if code != exitUsage || !strings.Contains(talk.String(), file+":1") || !strings.Contains(talk.String(), `"no-such-key"`) {
		t.Errorf("exit code %d: %s", code, talk.String())
	}
}

// TestEveryCommandHasHelp: each command says what it does, and the daily ones show how.
func TestEveryCommandHasHelp(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Short == "" && !cmd.Hidden {
			t.Errorf("%s says nothing of itself", cmd.CommandPath())
		}
		if cmd.Runnable() && cmd.Example == "" && !cmd.Hidden && !cmd.HasSubCommands() {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(&client{io: stdio{nil, &bytes.Buffer{}, &bytes.Buffer{}}}))
}
