package registry

import (
	"bytes"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// The scripts of testdata: each line of a block is a command, the answer what the
// registry decided; `show` prints all of it. Every script runs twice, and once
// with a snapshot and restore after every command: all must read alike (P23).
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		plain, again, restored := New(), New(), New()
		index := uint64(0)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
				f := strings.Fields(line)
				if d.Cmd == "show" || len(f) == 0 {
					continue
				}
				if f[0] == "reborn" { // reborn GENERATION: a snapshot is restored on other masters
					generation, err := strconv.ParseUint(f[1], 10, 64)
					if err != nil {
						t.Fatal(err)
					}
					plain, again, restored = plain.Reborn(generation, plain.Members()), again.Reborn(generation, again.Members()), restored.Reborn(generation, restored.Members())
					continue
				}
				index++
				cmd := parse(t, f)
				r := plain.Apply(index, cmd)
				if r2 := again.Apply(index, cmd); describe(r2) != describe(r) {
					t.Fatalf("%s: not deterministic: %s and %s", line, describe(r), describe(r2))
				}
				if r3 := restored.Apply(index, cmd); describe(r3) != describe(r) {
					t.Fatalf("%s: after a restore: %s and %s", line, describe(r), describe(r3))
				}
				restored = reload(t, restored)
				fmt.Fprintln(&out, describe(r))
			}
			if !bytes.Equal(image(t, plain), image(t, restored)) || !bytes.Equal(image(t, plain), image(t, again)) {
				t.Fatal("states differ")
			}
			if d.Cmd == "show" {
				show(&out, plain)
			}
			return out.String()
		})
	})
}

func parse(t *testing.T, f []string) Command {
	t.Helper()
	arg := map[string]string{}
	for _, a := range f[1:] {
		k, v, _ := strings.Cut(a, "=")
		arg[k] = v
	}
	num := func(k string) int64 {
		n, err := strconv.ParseInt("0"+arg[k], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	c := Command{Type: CommandType(strings.ToUpper(strings.ReplaceAll(f[0], "-", "_"))), Time: num("at")}
	switch f[0] {
	case "bootstrap":
		c.Bootstrap = &Bootstrap{ClusterID: arg["id"], Name: arg["name"]}
	case "member":
		c.Member = &Member{Name: arg["name"], Command: uint32(num("knows")), Left: arg["left"] != ""}
	case "admit-agent":
		c.AdmitAgent = &AdmitAgent{Info: sdk.AgentInfo{Hostname: arg["host"], ID: sdk.AgentID(arg["id"])}, Nonce: arg["nonce"], Address: arg["address"]}
	case "drain-agent":
		c.DrainAgent = &DrainAgent{ID: sdk.AgentID(arg["id"]), Config: sdk.DrainConfig{MarkGone: arg["gone"] != ""}}
	case "keep-kills": // kills=FRAMEWORK/TASK,...
		c.KeepKills = &KeepKills{ID: sdk.AgentID(arg["id"])}
		for k := range strings.SplitSeq(arg["kills"], ",") {
			f, task, _ := strings.Cut(k, "/")
			kill := Kill{FrameworkID: sdk.FrameworkID(f), TaskID: sdk.TaskID(task)}
			if arg["grace"] != "" {
				kill.KillPolicy = &sdk.KillPolicy{GracePeriod: &sdk.DurationInfo{Nanoseconds: num("grace")}}
			}
			c.KeepKills.Kills = append(c.KeepKills.Kills, kill)
		}
	case "trim-agents":
		c.TrimAgents = &TrimAgents{Before: num("before"), Keep: uint64(num("keep"))}
	case "agent-unreachable", "agent-gone", "remove-agent", "deactivate-agent", "reactivate-agent", "agent-drained", "forget-kills":
		c.Agent = &AgentRef{ID: sdk.AgentID(arg["id"])}
	case "admit-framework":
		c.AdmitFramework = &AdmitFramework{Info: sdk.FrameworkInfo{User: "nobody", Name: arg["name"], ID: sdk.FrameworkID(arg["id"]), Principal: arg["principal"]}}
	case "framework-disconnect":
		c.FrameworkDisconnect = &FrameworkDisconnect{ID: sdk.FrameworkID(arg["id"]), Deadline: num("deadline")}
	case "remove-framework":
		c.Framework = &FrameworkRef{ID: sdk.FrameworkID(arg["id"])}
	case "set-weight":
		w, err := strconv.ParseFloat(arg["weight"], 64)
		if err != nil {
			t.Fatal(err)
		}
		c.SetWeight = &SetWeight{Role: arg["role"], Weight: w}
	case "set-manifest":
		c.SetManifest = &SetManifest{Manifest: sdk.BootManifest{Apps: strings.Split(arg["apps"], ",")}}
	case "future":
		c = Command{Version: CommandVersion + 1, Type: CommandRaiseGeneration}
	}
	if arg["version"] != "" {
		c.Version = uint32(num("version"))
	}
	return c
}

func describe(r Result) string {
	s := fmt.Sprintf("%d:", r.Index)
	switch {
	case r.Err != nil:
		return fmt.Sprintf("%s refused %s: %v", s, r.Err.Code, r.Err)
	case r.AgentID != "":
		return s + " agent " + string(r.AgentID)
	case r.FrameworkID != "":
		return s + " framework " + string(r.FrameworkID)
	case r.Generation != 0:
		return fmt.Sprintf("%s generation %d", s, r.Generation)
	}
	return s + " ok"
}

func show(out *strings.Builder, s *State) {
	fmt.Fprintf(out, "cluster %q %q generation %d index %d common version %d\n", s.ClusterID(), s.ClusterName(), s.Generation(), s.Index(), s.CommonVersion())
	for _, m := range s.Members() {
		fmt.Fprintf(out, "member %s knows %d\n", m.Name, m.Command)
	}
	for _, a := range s.Agents() {
		fmt.Fprintf(out, "agent %s on %s %s since %d, admitted %d", a.Info.ID, a.Info.Hostname, a.State, a.Since, a.Admitted)
		if a.Nonce != "" {
			fmt.Fprintf(out, ", nonce %s", a.Nonce)
		}
		if a.Deactivated {
			fmt.Fprint(out, ", deactivated")
		}
		if a.Drain != nil {
			fmt.Fprintf(out, ", %s since %d, gone then: %v", a.Drain.State, a.DrainSince, a.Drain.Config.MarkGone)
		}
		for _, k := range a.Kills {
			fmt.Fprintf(out, ", to end %s/%s", k.FrameworkID, k.TaskID)
			if k.KillPolicy != nil {
				fmt.Fprintf(out, " in %d", k.KillPolicy.GracePeriod.Nanoseconds)
			}
		}
		fmt.Fprintln(out)
	}
	for _, a := range s.trimmed {
		fmt.Fprintf(out, "trimmed %s\n", a.ID)
	}
	for _, f := range s.Frameworks() {
		fmt.Fprintf(out, "framework %s %q of %q since %d, registered %d, deadline %d\n", f.Info.ID, f.Info.Name, f.Info.Principal, f.Since, f.Registered, f.Deadline)
	}
	for _, f := range s.Removed() {
		fmt.Fprintf(out, "removed %s %q at %d\n", f.ID, f.Name, f.Time)
	}
	if m := s.Manifest(); m != nil {
		fmt.Fprintf(out, "manifest of %d frameworks, apps %v, set by %d at %d\n", len(m.Manifest.Frameworks), m.Manifest.Apps, m.Index, m.Time)
	}
	for _, w := range s.Weights() {
		fmt.Fprintf(out, "weight %s %g\n", w.Role, w.Weight)
	}
}

func image(t rapid.TB, s *State) []byte {
	t.Helper()
	data, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func reload(t rapid.TB, s *State) *State {
	t.Helper()
	r, err := Restore(image(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// P23: log from the start, or a snapshot anywhere and the log behind it: equal
// bytes; commands survive the disk; a refusal changes nothing but the index; a
// clone is independent.
func TestAnyHistoryReadsAlikeWithAndWithoutSnapshots(t *testing.T) {
	id := rapid.SampledFrom([]string{"", "a", "b", "c-S0", "c-S1", "c-0000", "c-0001", "bad/id"})
	gen := rapid.Custom(func(t *rapid.T) Command {
		c := Command{Time: rapid.Int64Range(0, 100).Draw(t, "time")}
		name := id.Draw(t, "id")
		c.Type = rapid.SampledFrom(commandTypes()).Draw(t, "type")
		switch c.Type {
		case CommandBootstrap:
			c.Bootstrap = &Bootstrap{ClusterID: "c", Name: name}
		case CommandMember:
			c.Member = &Member{Name: name, Command: rapid.Uint32Range(1, 3).Draw(t, "knows"), Left: rapid.Bool().Draw(t, "left")}
		case CommandAdmitAgent:
			c.AdmitAgent = &AdmitAgent{Info: sdk.AgentInfo{Hostname: "h", ID: sdk.AgentID(name)}, Nonce: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "nonce"), Address: rapid.SampledFrom([]string{"here", "there"}).Draw(t, "address")}
		case CommandDrainAgent:
			c.DrainAgent = &DrainAgent{ID: sdk.AgentID(name), Config: sdk.DrainConfig{MarkGone: rapid.Bool().Draw(t, "gone")}}
		case CommandAgentUnreachable, CommandAgentGone, CommandRemoveAgent, CommandDeactivateAgent, CommandReactivateAgent, CommandAgentDrained, CommandForgetKills:
			c.Agent = &AgentRef{ID: sdk.AgentID(name)}
		case CommandKeepKills:
			c.KeepKills = &KeepKills{ID: sdk.AgentID(name)}
			for range rapid.IntRange(0, 3).Draw(t, "kills") {
				c.KeepKills.Kills = append(c.KeepKills.Kills, Kill{FrameworkID: sdk.FrameworkID(id.Draw(t, "framework")), TaskID: sdk.TaskID(id.Draw(t, "task"))})
			}
		case CommandTrimAgents:
			c.TrimAgents = &TrimAgents{Before: rapid.Int64Range(0, 100).Draw(t, "before"), Keep: rapid.Uint64Range(0, 3).Draw(t, "keep")}
		case CommandAdmitFramework:
			c.AdmitFramework = &AdmitFramework{Info: sdk.FrameworkInfo{User: "u", Name: "n", ID: sdk.FrameworkID(name), Principal: rapid.SampledFrom([]string{"", "p"}).Draw(t, "principal")}}
		case CommandFrameworkDisconnect:
			c.FrameworkDisconnect = &FrameworkDisconnect{ID: sdk.FrameworkID(name), Deadline: 7}
		case CommandRemoveFramework:
			c.Framework = &FrameworkRef{ID: sdk.FrameworkID(name)}
		case CommandSetManifest:
			c.SetManifest = &SetManifest{Manifest: sdk.BootManifest{Apps: []string{name}}}
		case CommandSetWeight:
			c.SetWeight = &SetWeight{Role: name, Weight: rapid.Float64().Draw(t, "weight")}
		}
		return c
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := New(), New()
		for i, c := range rapid.SliceOfN(gen, 1, 40).Draw(t, "history") {
			before := image(t, a)
			frozen := a.Clone()
			data, err := EncodeCommand(c)
			if err != nil {
				t.Fatal(err)
			}
			stored, err := DecodeCommand(data)
			if err != nil {
				t.Fatal(err)
			}
			ra, rb := a.Apply(uint64(i+1), c), b.Apply(uint64(i+1), stored)
			if describe(ra) != describe(rb) {
				t.Fatalf("%s and %s", describe(ra), describe(rb))
			}
			if ra.Err != nil {
				frozen2 := a.Clone()
				frozen2.index = frozen.index
				if !bytes.Equal(image(t, frozen2), before) {
					t.Fatalf("%s changed something", describe(ra))
				}
			}
			if !bytes.Equal(image(t, frozen), before) {
				t.Fatalf("%s reached into a clone", c.Type)
			}
			if i%3 == 0 {
				b = reload(t, b)
			}
			checkKills(t, a)
			checkNonces(t, a)
		}
		if !bytes.Equal(image(t, a), image(t, b)) {
			t.Fatal("histories with and without snapshots differ")
		}
	})
}

// checkNonces compares the index of nonces with the agents.
func checkNonces(t rapid.TB, s *State) {
	t.Helper()
	n := 0
	for _, a := range s.Agents() {
		if a.Nonce == "" {
			continue
		}
		n++
		if id, known := s.AgentOf(a.Nonce, a.Address); !known || id != a.Info.ID {
			t.Fatalf("agent %s has nonce %q, which is that of %q", a.Info.ID, a.Nonce, id)
		}
	}
	if n != s.nonces.len() {
		t.Fatalf("%d agents have a nonce, %d are known by one", n, s.nonces.len())
	}
}

// checkKills compares the count of kills with the kills.
func checkKills(t rapid.TB, s *State) {
	t.Helper()
	counted := map[sdk.FrameworkID]int{}
	for _, a := range s.Agents() {
		if len(a.Kills) > 0 && a.State == AgentGone {
			t.Fatalf("kills wait for agent %s, which is gone", a.Info.ID)
		}
		for _, k := range a.Kills {
			if counted[k.FrameworkID]++; !s.frameworks.has(k.FrameworkID) {
				t.Fatalf("a kill of the framework %s waits, which is no more", k.FrameworkID)
			}
		}
	}
	if !maps.Equal(counted, s.kills) {
		t.Fatalf("kills are counted as %v, there are %v", s.kills, counted)
	}
}

func commandTypes() []CommandType {
	var all []CommandType
	for _, v := range CommandType("").Enum() {
		all = append(all, CommandType(v.Name))
	}
	return all
}

func TestNewerFormatsAreRefusedByName(t *testing.T) {
	_, err := DecodeCommand(newer(t, CommandVersion+1))
	if sdk.CodeOf(err) != sdk.CodeUnsupported || !strings.Contains(err.Error(), "version 6") || !strings.Contains(err.Error(), "upgrade") {
		t.Errorf("command: %v", err)
	}
	_, err = Restore(newer(t, SnapshotVersion+1))
	if sdk.CodeOf(err) != sdk.CodeUnsupported || !strings.Contains(err.Error(), "snapshot of version 5") {
		t.Errorf("snapshot: %v", err)
	}
}

// newer is a message of a version to come, with content that this one can not read.
func newer(t *testing.T, version uint32) []byte {
	t.Helper()
	data, err := wire.Marshal(wire.Msgpack, &struct {
		Version uint32 `wire:"1,version,required"`
		Type    string `wire:"2,type"`
	}{version, "something new"})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRemovedFrameworksAreRememberedWithinBounds(t *testing.T) {
	s := New()
	index := uint64(0)
	apply := func(c Command) Result {
		index++
		return s.Apply(index, c)
	}
	apply(Command{Type: CommandBootstrap, Bootstrap: &Bootstrap{ClusterID: "c", Name: "n"}})
	for range MaxRemoved + 5 {
		r := apply(Command{Type: CommandAdmitFramework, AdmitFramework: &AdmitFramework{Info: sdk.FrameworkInfo{User: "u", Name: "n"}}})
		apply(Command{Type: CommandRemoveFramework, Framework: &FrameworkRef{ID: r.FrameworkID}})
	}
	if n := len(s.Removed()); n != MaxRemoved || s.removedIDs.len() != MaxRemoved {
		t.Errorf("%d remembered, index of %d", n, s.removedIDs.len())
	}
	if s.remembers("c-0004") || !s.remembers("c-0005") || !s.remembers(s.Removed()[MaxRemoved-1].ID) {
		t.Error("the oldest must be forgotten, and only they")
	}
	// An id that the registry has made never returns, however long ago it was removed.
	r := apply(Command{Type: CommandAdmitFramework, AdmitFramework: &AdmitFramework{Info: sdk.FrameworkInfo{ID: "c-0004", User: "u", Name: "n"}}})
	if r.Err == nil || r.Err.Code != sdk.CodeGone || s.WasRemoved("c-99999999") || s.WasRemoved("c-4") {
		t.Errorf("c-0004 is admitted anew: %v", r.Err)
	}
}

// Both bounds hold, and one framework's many do not take another's place.
func TestKillsAreKeptWithinBounds(t *testing.T) {
	s := New()
	index := uint64(0)
	apply := func(c Command) Result {
		t.Helper()
		index++
		r := s.Apply(index, c)
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		return r
	}
	apply(Command{Type: CommandBootstrap, Bootstrap: &Bootstrap{ClusterID: "c", Name: "n"}})
	for range 2 {
		apply(Command{Type: CommandAdmitFramework, AdmitFramework: &AdmitFramework{Info: sdk.FrameworkInfo{User: "u", Name: "n"}}})
	}
	keep := func(agent sdk.AgentID, f sdk.FrameworkID, n int) int {
		t.Helper()
		c := KeepKills{ID: agent}
		for i := range n {
			c.Kills = append(c.Kills, Kill{FrameworkID: f, TaskID: sdk.TaskID(strconv.Itoa(i))})
		}
		return apply(Command{Type: CommandKeepKills, KeepKills: &c}).Left
	}
	agents := MaxFrameworkKills/MaxAgentKills + 1
	for range agents + 1 {
		apply(Command{Type: CommandAdmitAgent, AdmitAgent: &AdmitAgent{Info: sdk.AgentInfo{Hostname: "h"}}})
	}
	if left := keep("c-S0", "c-0000", MaxAgentKills+7); left != 7 {
		t.Errorf("%d did not fit, want 7", left)
	}
	if left := keep("c-S0", "c-0000", MaxAgentKills); left != 0 {
		t.Errorf("%d that are known did not fit", left)
	}
	for i := 1; i < agents; i++ {
		left, want := keep(sdk.AgentID(fmt.Sprintf("c-S%d", i)), "c-0000", MaxAgentKills), 0
		if i == agents-1 {
			want = MaxAgentKills
		}
		if left != want {
			t.Errorf("agent %d: %d did not fit, want %d", i, left, want)
		}
	}
	if left := keep(sdk.AgentID(fmt.Sprintf("c-S%d", agents)), "c-0001", 3); left != 0 {
		t.Errorf("%d of another framework did not fit", left)
	}
	checkKills(t, s)
	apply(Command{Type: CommandRemoveFramework, Framework: &FrameworkRef{ID: "c-0000"}})
	checkKills(t, s)
	if len(s.kills) != 1 {
		t.Errorf("counted: %v", s.kills)
	}
}

// Trimmed ids are refused as long as they are remembered, and the registry never makes one
// of them anew.
func TestTrimmedAgentsAreRememberedWithinBounds(t *testing.T) {
	s := New()
	index := uint64(0)
	apply := func(c Command) Result {
		index++
		return s.Apply(index, c)
	}
	apply(Command{Type: CommandBootstrap, Bootstrap: &Bootstrap{ClusterID: "c", Name: "n"}})
	come := func(id sdk.AgentID) Result {
		return apply(Command{Type: CommandAdmitAgent, AdmitAgent: &AdmitAgent{Info: sdk.AgentInfo{Hostname: "h", ID: id}}})
	}
	for i := range MaxTrimmed + 5 {
		id := sdk.AgentID(fmt.Sprintf("c-S%d", i))
		come(id)
		apply(Command{Type: CommandAgentGone, Time: int64(i), Agent: &AgentRef{ID: id}})
	}
	all := TrimAgents{Before: MaxTrimmed + 5, Keep: 1 << 40}
	if !s.Trims(all) {
		t.Fatal("there is nothing to trim")
	}
	apply(Command{Type: CommandTrimAgents, TrimAgents: &all})
	if s.Trims(all) || len(s.Agents()) != 0 || len(s.trimmed) != MaxTrimmed || s.trimmedIDs.len() != MaxTrimmed {
		t.Errorf("%d agents are left, %d remembered, index of %d", len(s.Agents()), len(s.trimmed), s.trimmedIDs.len())
	}
	if r := come("c-S5"); r.Err == nil || r.Err.Code != sdk.CodeGone {
		t.Errorf("c-S5 is admitted anew: %v", r.Err)
	}
	if r := come("c-S4"); r.Err != nil {
		t.Errorf("c-S4 is forgotten, and refused: %v", r.Err)
	}
	// The agents brought all these ids along: the registry's own begin behind them.
	if r := come(""); r.Err != nil || s.Trimmed(r.AgentID) {
		t.Errorf("a fresh agent is %s: %v", r.AgentID, r.Err)
	}
}

// TestStrangers: an id of another cluster is known by its form; one that people or other
// systems have made is nobody's.
func TestStrangers(t *testing.T) {
	s := New()
	if s.Stranger("0123456789ab-S0") || !s.Unused() {
		t.Error("before it has an id, a cluster knows no strangers, and is not used")
	}
	s.Apply(1, Command{Type: CommandBootstrap, Bootstrap: &Bootstrap{ClusterID: "aaaaaaaaaaaa", Name: "n"}})
	for id, want := range map[string]bool{
		"0123456789ab-S0": true, "0123456789ab-init": true, "0123456789ab-g7-0001": true,
		"aaaaaaaaaaaa-S0": false, "0123456789ab": false, "0123456789AB-S0": false, "": false, "mine": false,
		"4fb1a2c3-7777-4c6e-9b2e-0123456789ab-0001": false,
	} {
		if got := s.Stranger(id); got != want {
			t.Errorf("%q is a stranger's: %v", id, got)
		}
	}
	s.Apply(2, Command{Type: CommandAdmitFramework, AdmitFramework: &AdmitFramework{Info: sdk.FrameworkInfo{Name: "init", ID: s.InitFramework()}}})
	s.Apply(3, Command{Type: CommandAdmitAgent, AdmitAgent: &AdmitAgent{Info: sdk.AgentInfo{Hostname: "h"}}})
	if !s.Unused() || s.Reborn(2, nil).Unused() {
		t.Error("init alone does not use a cluster, and a restored one is used")
	}
	s.Apply(4, Command{Type: CommandAdmitFramework, AdmitFramework: &AdmitFramework{Info: sdk.FrameworkInfo{Name: "own", ID: "own"}}})
	if s.Unused() {
		t.Error("it has a framework")
	}
	s.Apply(5, Command{Type: CommandRemoveFramework, Framework: &FrameworkRef{ID: "own"}})
	if s.Unused() {
		t.Error("it had a framework")
	}
}

func FuzzRestore(f *testing.F) {
	s := New()
	s.Apply(1, Command{Type: CommandBootstrap, Bootstrap: &Bootstrap{ClusterID: "c", Name: "n"}})
	s.Apply(2, Command{Type: CommandAdmitAgent, AdmitAgent: &AdmitAgent{Info: sdk.AgentInfo{Hostname: "h"}}})
	s.Apply(3, Command{Type: CommandAdmitFramework, AdmitFramework: &AdmitFramework{Info: sdk.FrameworkInfo{User: "u", Name: "n"}}})
	s.Apply(4, Command{Type: CommandDrainAgent, DrainAgent: &DrainAgent{ID: "c-S0"}})
	s.Apply(5, Command{Type: CommandKeepKills, KeepKills: &KeepKills{ID: "c-S0", Kills: []Kill{{FrameworkID: "c-0000", TaskID: "t"}}}})
	data, err := s.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Restore(data)
		if err != nil {
			return
		}
		if again := reload(t, s); !bytes.Equal(image(t, s), image(t, again)) {
			t.Error("what was restored is stored otherwise")
		}
	})
}

func FuzzApply(f *testing.F) {
	for _, c := range []Command{{Type: CommandRaiseGeneration}, {Type: CommandAdmitAgent, AdmitAgent: &AdmitAgent{Info: sdk.AgentInfo{Hostname: "h"}}},
		{Type: CommandDrainAgent, DrainAgent: &DrainAgent{ID: "c-S0", Config: sdk.DrainConfig{MarkGone: true, MaxGracePeriod: &sdk.DurationInfo{Nanoseconds: 1}}}}} {
		data, err := EncodeCommand(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeCommand(data)
		if err != nil {
			return
		}
		a, b := New(), New()
		if ra, rb := a.Apply(1, c), b.Apply(1, c); describe(ra) != describe(rb) || !bytes.Equal(image(t, a), image(t, b)) {
			t.Error("not deterministic")
		}
		reload(t, a)
	})
}
