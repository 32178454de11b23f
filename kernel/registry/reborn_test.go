package registry

import (
	"testing"
	"time"

	"pgregory.net/rapid"
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
