package graph

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/chronosish/job"
)

// TestAgainstTheTwin: what Check accepts is exactly what has an order in which each
// parent comes before its children, found by taking away again and again what has no
// parent left.
func TestAgainstTheTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, jobs := New(), map[string]*job.Job{}
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			if rapid.IntRange(0, 9).Draw(t, "deletes") == 0 && len(jobs) > 0 {
				remove(t, g, jobs, draw(t, "gone"))
				continue
			}
			var changed []*job.Job
			next := map[string]*job.Job{}
			for name, j := range jobs {
				next[name] = j
			}
			for range rapid.IntRange(1, 3).Draw(t, "jobs") {
				j := &job.Job{Name: draw(t, "name"), Schedule: "R//PT1H"}
				for range rapid.IntRange(0, 2).Draw(t, "parents") {
					j.Schedule, j.Parents = "", append(j.Parents, draw(t, "parent"))
				}
				slices.Sort(j.Parents)
				j.Parents = slices.Compact(j.Parents)
				changed = slices.DeleteFunc(changed, func(k *job.Job) bool { return k.Name == j.Name })
				changed, next[j.Name] = append(changed, j), j
			}
			r := g.Check(changed...)
			if (r == nil) != ordered(next) {
				t.Fatalf("%v, with %v", r, edges(next))
			}
			if same := Check(changed, func(name string) *job.Job { return jobs[name] }); (same == nil) != (r == nil) {
				t.Fatalf("%v, and of the graph %v", same, r)
			}
			if r != nil {
				continue
			}
			jobs = next
			for _, j := range changed {
				g.Set(j)
			}
			compare(t, g, jobs)
		}
	})
}

func draw(t *rapid.T, label string) string {
	return rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, label)
}

// remove deletes a job as chronosish does; the children inherit, and there still is an order.
func remove(t *rapid.T, g *Graph, jobs map[string]*job.Job, name string) {
	gone := jobs[name]
	if gone == nil {
		return
	}
	children := g.Children(name)
	g.Remove(name)
	delete(jobs, name)
	for _, c := range children {
		jobs[c] = Inherit(jobs[c], gone)
		g.Set(jobs[c])
		if jobs[c].Dependent() == (jobs[c].Schedule != "") {
			t.Fatalf("a child has both a schedule and parents, or neither: %+v", jobs[c])
		}
	}
	if !ordered(jobs) {
		t.Fatalf("no order is left: %v", edges(jobs))
	}
	compare(t, g, jobs)
}

func compare(t *rapid.T, g *Graph, jobs map[string]*job.Job) {
	for name := range jobs {
		var want []string
		for _, j := range jobs {
			if slices.Contains(j.Parents, name) {
				want = append(want, j.Name)
			}
		}
		slices.Sort(want)
		if got := g.Children(name); !slices.Equal(got, want) {
			t.Fatalf("the children of %s are %v, want %v", name, got, want)
		}
	}
}

// ordered takes away what has all its parents taken away.
func ordered(jobs map[string]*job.Job) bool {
	done := map[string]bool{}
	for range jobs {
		for _, j := range jobs {
			if !slices.ContainsFunc(j.Parents, func(p string) bool { return !done[p] }) {
				done[j.Name] = true
			}
		}
	}
	return len(done) == len(jobs)
}

func edges(jobs map[string]*job.Job) string {
	var s string
	for _, j := range jobs {
		s += fmt.Sprintf("%s%v ", j.Name, j.Parents)
	}
	return s
}

// TestStarts: a child starts exactly when each parent has succeeded after its last
// start, by the log of all that has happened.
func TestStarts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		child := &job.Job{Name: "child", Parents: []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "parents")]}
		var tokens Tokens
		var since []string // parents that have succeeded since the last start
		for i := range rapid.IntRange(1, 40).Draw(t, "successes") {
			parent := draw(t, "parent")
			left, causes, start := Release(child, tokens, parent, fmt.Sprint(i))
			tokens = left
			since = append(since, parent)
			want := slices.Contains(child.Parents, parent) && !slices.ContainsFunc(child.Parents, func(p string) bool { return !slices.Contains(since, p) })
			if start != want {
				t.Fatalf("after %v: %v", since, start)
			}
			if start {
				since = nil
				if len(causes) != len(child.Parents) || !slices.Contains(causes, fmt.Sprint(i)) || left != nil {
					t.Fatalf("causes %v, left %v", causes, left)
				}
			}
		}
	})
}

func TestSoftErrors(t *testing.T) {
	hard, soft := &job.Job{}, &job.Job{SoftError: true}
	for _, c := range []struct {
		j                      *job.Job
		succeeded, final, want bool
	}{{hard, true, true, true}, {hard, false, true, false}, {soft, false, true, true}, {soft, false, false, false}, {soft, true, true, true}} {
		if got := Releases(c.j, c.succeeded, c.final); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestLargeGraph: a check costs what stands above the job, each job once, however many
// ways lead to it.
func TestLargeGraph(t *testing.T) {
	const layers, width = 1000, 10
	g := New()
	var last []string
	for l := range layers {
		var names []string
		for w := range width {
			name := fmt.Sprintf("%d.%d", l, w)
			g.Set(&job.Job{Name: name, Parents: last})
			names = append(names, name)
		}
		last = names
	}
	if r := g.Check(&job.Job{Name: "end", Parents: last}); r != nil {
		t.Error(r)
	}
	if r := g.Check(&job.Job{Name: "0.0", Parents: last}); r == nil || len(r.Message) > 400 {
		t.Errorf("a cycle of a thousand jobs: %v", r)
	}
}
