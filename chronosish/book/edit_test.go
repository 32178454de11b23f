package book

import (
	"slices"
	"testing"
	"time"

	"github.com/profferhq/proffer/chronosish/job"
)

// TestAnEditThatNamesItsStart is rule 9 of the reference: a changed job goes on from the
// moment of the change, unless it names a start in the past and has a window; then what is
// still in the window runs, but nothing that had its turn.
func TestAnEditThatNamesItsStart(t *testing.T) {
	for _, c := range []struct {
		name  string
		after job.Job
		want  []int // seconds of the slots that run afterwards, until the 40th
	}{
		{"with a window", job.Job{Schedule: "R/2026-01-01T00:00:03Z/10", Epsilon: window(60)}, []int{23, 33}},
		{"with a window that has passed", job.Job{Schedule: "R/2026-01-01T00:00:03Z/10", Epsilon: window(1)}, []int{33}},
		{"without one", job.Job{Schedule: "R/2026-01-01T00:00:03Z/10"}, []int{33}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t.Fatalf)
			w.change(Change{Kind: Put, Jobs: []*job.Job{{Name: "a", Schedule: "R/2026-01-01T00:00:01Z/10", Epsilon: window(60), CPUs: 0.1, Concurrent: true}}})
			for w.now.Second() < 28 {
				w.advance(time.Second)
			}
			before := len(w.started)
			j := c.after
			j.Name, j.CPUs, j.Concurrent = "a", 0.1, true
			w.change(Change{Kind: Put, Jobs: []*job.Job{&j}})
			for w.now.Second() < 40 {
				w.advance(time.Second)
			}
			var ran []int
			for id := range w.started {
				if at := w.b.attempts[id].rec.Nominal.Second(); !slices.Contains([]int{1, 11, 21}, at) {
					ran = append(ran, at)
				}
			}
			if slices.Sort(ran); before != 3 || !slices.Equal(ran, c.want) {
				t.Errorf("%d ran before, then %v, wanted %v", before, ran, c.want)
			}
		})
	}
}
