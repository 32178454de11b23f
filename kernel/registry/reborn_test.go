package registry

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
)

// Whatever came before, in whatever order files are restored: later lives are later.
func TestRebirth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(rapid.Int64Range(1.7e9, 4e9).Draw(t, "now"), 0)
		generation, index := uint64(1), rapid.Uint64Range(0, 1<<40).Draw(t, "index")
		var lives [][2]uint64 // generation and the last index of each
		for range rapid.IntRange(2, 6).Draw(t, "restores") {
			now = now.Add(time.Duration(rapid.IntRange(1, 1e6).Draw(t, "seconds")) * time.Second)
			born, floor := Rebirth(now, generation, index)
			for _, life := range lives {
				if born <= life[0] || floor <= life[1] {
					t.Fatalf("generation %d above %d comes after %v", born, floor, life)
				}
			}
			if floor >= 1<<53 {
				t.Fatalf("a double can not carry %d", floor)
			}
			end := floor + rapid.Uint64Range(0, 1000).Draw(t, "entries")
			lives = append(lives, [2]uint64{born, end})
			if rapid.Bool().Draw(t, "saved") { // else the same file again, onto empty masters
				generation, index = born, end
			}
		}
	})
}

// Masters that know the commands of a version can read what those have made.
func TestReadableSince(t *testing.T) {
	for version := uint32(1); version <= CommandVersion; version++ {
		s := New()
		kill := Kill{FrameworkID: "f", TaskID: "t"}
		for i, c := range []Command{
			{Type: CommandBootstrap, Bootstrap: &Bootstrap{ClusterID: "c", Name: "home"}},
			{Type: CommandRaiseGeneration},
			{Type: CommandAdmitFramework, AdmitFramework: &AdmitFramework{Info: sdk.FrameworkInfo{ID: "f"}}},
			{Type: CommandAdmitAgent, AdmitAgent: &AdmitAgent{Info: sdk.AgentInfo{ID: "a"}}},
			{Type: CommandDeactivateAgent, Agent: &AgentRef{ID: "a"}},
			{Type: CommandKeepKills, KeepKills: &KeepKills{ID: "a", Kills: []Kill{kill}}},
			{Type: CommandAgentGone, Agent: &AgentRef{ID: "a"}},
			{Type: CommandTrimAgents, TrimAgents: &TrimAgents{Before: 1}},
			{Type: CommandAdmitAgent, AdmitAgent: &AdmitAgent{Nonce: "n"}},
		} {
			c.Version = version
			if r := s.Apply(uint64(i+1), c); r.Err != nil && r.Err.Code != sdk.CodeUnsupported || r.Version != version {
				t.Fatalf("%s of version %d: %+v", c.Type, version, r)
			}
			if since := s.ReadableSince(); since > version {
				t.Errorf("%s of version %d: readable since version %d", c.Type, version, since)
			}
		}
		if since := s.ReadableSince(); version == CommandVersion && since != 5 {
			t.Errorf("with a nonce: readable since version %d", since)
		}
	}
}
