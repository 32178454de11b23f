package graph

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/chronosish/job"
)

// TestScript runs testdata/graph.txt. `put` has a job per line, name: parents, all put
// at once; `delete` one name; `run` the successes in their order, parent=run, and shows
// what starts.
func TestScript(t *testing.T) {
	jobs := map[string]*job.Job{}
	g := New()
	tokens := map[string]Tokens{}
	datadriven.RunTest(t, "testdata/graph.txt", func(t *testing.T, d *datadriven.TestData) string {
		var b strings.Builder
		switch d.Cmd {
		case "put":
			var list []*job.Job
			for line := range strings.SplitSeq(d.Input, "\n") {
				list = append(list, parse(line))
			}
			if r := g.Check(list...); r != nil {
				return fmt.Sprintf("%d %s\n", r.Status, r.Message)
			}
			for _, j := range list {
				g.Set(j)
				jobs[j.Name], tokens[j.Name] = j, Keep(j, tokens[j.Name])
			}
		case "delete":
			gone := jobs[d.Input]
			children := g.Children(gone.Name)
			g.Remove(gone.Name)
			delete(jobs, gone.Name)
			for _, name := range children {
				j := Inherit(jobs[name], gone)
				g.Set(j)
				jobs[name], tokens[name] = j, Keep(j, tokens[name])
				fmt.Fprintf(&b, "%s: parents %v, schedule %q\n", name, j.Parents, j.Schedule)
			}
		case "run":
			for line := range strings.SplitSeq(d.Input, "\n") {
				parent, run, _ := strings.Cut(line, "=")
				for _, name := range g.Children(parent) {
					left, causes, start := Release(jobs[name], tokens[name], parent, run)
					tokens[name] = left
					if start {
						fmt.Fprintf(&b, "%s: %s starts after %v\n", line, name, causes)
					} else {
						fmt.Fprintf(&b, "%s: %s waits for %v\n", line, name, Waiting(jobs[name], left))
					}
				}
			}
		case "csv", "dot":
			var nodes []Node
			for _, j := range jobs {
				nodes = append(nodes, Node{j.Name, "fresh", "idle", j.Parents})
			}
			if d.Cmd == "csv" {
				return CSV(nodes)
			}
			return DOT(nodes)
		default:
			d.Fatalf(t, "unknown command %s", d.Cmd)
		}
		if b.Len() == 0 {
			return fmt.Sprintln("jobs:", strings.Join(slices.Sorted(maps.Keys(jobs)), " "))
		}
		return b.String()
	})
}

// parse reads name: parents; an exclamation mark disables.
func parse(line string) *job.Job {
	name, parents, _ := strings.Cut(line, ":")
	j := &job.Job{Name: strings.TrimSuffix(name, "!"), Disabled: strings.HasSuffix(name, "!"), Parents: strings.Fields(parents)}
	if len(j.Parents) == 0 {
		j.Parents, j.Schedule = nil, "R//PT1H"
	}
	slices.Sort(j.Parents)
	return j
}
