package registry

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
)

// TestTableAgainstMaps: whatever is put and removed, a table holds what a map holds, in
// order, and every older table still holds what it held.
func TestTableAgainstMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			table table[sdk.AgentID, int]
			want  map[sdk.AgentID]int
		}
		var history []version
		now := version{want: map[sdk.AgentID]int{}}
		space := rapid.SampledFrom([]int{5, 100, 1000}).Draw(t, "keys")
		for step := range rapid.IntRange(1, 400).Draw(t, "steps") {
			key := sdk.AgentID(fmt.Sprintf("k%03d", rapid.IntRange(0, space).Draw(t, "key")))
			next := version{want: maps.Clone(now.want)}
			if rapid.IntRange(0, 2).Draw(t, "what") == 0 {
				next.table = now.table.remove(key)
				delete(next.want, key)
			} else {
				next.table = now.table.put(key, step)
				next.want[key] = step
			}
			history = append(history, next)
			now = next
		}
		for i, v := range history {
			if v.table.len() != len(v.want) {
				t.Fatalf("version %d has %d entries, not %d", i, v.table.len(), len(v.want))
			}
			if i%50 != 0 && i != len(history)-1 {
				continue
			}
			var want []int
			for _, key := range slices.Sorted(maps.Keys(v.want)) {
				want = append(want, v.want[key])
				if got, ok := v.table.get(key); !ok || got != v.want[key] {
					t.Fatalf("version %d: %s is %d, %v, not %d", i, key, got, ok, v.want[key])
				}
			}
			if got := v.table.values(); !slices.Equal(got, want) {
				t.Fatalf("version %d: %v, not %v", i, got, want)
			}
			if v.table.has("nothing") {
				t.Fatal("it has what was never put")
			}
			for _, leaf := range v.table.leaves {
				if len(leaf) == 0 || len(leaf) > maxLeaf {
					t.Fatalf("a leaf of %d", len(leaf))
				}
			}
		}
	})
}

// BenchmarkAdmit is one agent's admission among 20,000, a copy before each.
func BenchmarkAdmit(b *testing.B) {
	s := New()
	s.Apply(1, Command{Type: CommandBootstrap, Bootstrap: &Bootstrap{ClusterID: "c", Name: "n"}})
	for i := range 20_000 {
		s.Apply(uint64(i+2), Command{Type: CommandAdmitAgent, AdmitAgent: &AdmitAgent{Info: sdk.AgentInfo{Hostname: "h"}}})
	}
	again := Command{Type: CommandAdmitAgent, AdmitAgent: &AdmitAgent{Info: sdk.AgentInfo{ID: "c-S777", Hostname: "h"}}}
	b.ReportAllocs()
	for b.Loop() {
		copied := s.Clone()
		s.Apply(s.Index()+1, again)
		if copied.Index() == s.Index() {
			b.Fatal("the copy changes too")
		}
	}
}
