package graph

import (
	"maps"
	"slices"
	"strings"

	"github.com/profferhq/proffer/chronosish/job"
)

// Graph is the edges between the jobs that there are. Make one with New.
type Graph struct {
	parents  map[string][]string // sorted; there is an entry, maybe nil, for each job
	children map[string]map[string]bool
}

// New is a graph of those jobs, whose edges are taken as they are.
func New(jobs ...*job.Job) *Graph {
	g := &Graph{parents: map[string][]string{}, children: map[string]map[string]bool{}}
	for _, j := range jobs {
		g.Set(j)
	}
	return g
}

// Set puts a job into the graph, in the place of one of that name. It does not check.
func (g *Graph) Set(j *job.Job) {
	g.Remove(j.Name)
	g.parents[j.Name] = j.Parents
	for _, p := range j.Parents {
		if g.children[p] == nil {
			g.children[p] = map[string]bool{}
		}
		g.children[p][j.Name] = true
	}
}

// Remove takes a job out; its children keep naming it until they are Set anew.
func (g *Graph) Remove(name string) {
	for _, p := range g.parents[name] {
		if delete(g.children[p], name); len(g.children[p]) == 0 {
			delete(g.children, p)
		}
	}
	delete(g.parents, name)
}

// Children are the jobs that have it as a parent, sorted.
func (g *Graph) Children(name string) []string { return slices.Sorted(maps.Keys(g.children[name])) }

// Check tells what is wrong with putting all those jobs into the graph at once.
func (g *Graph) Check(jobs ...*job.Job) *job.Refusal {
	return check(jobs, func(name string) ([]string, bool) {
		p, ok := g.parents[name]
		return p, ok
	})
}

// Check tells what is wrong with putting all those jobs at once among those that find
// knows by their names (nil: there is none): a parent that does not exist, or a cycle,
// whose path is named. Its cost is that of the jobs above them.
func Check(jobs []*job.Job, find func(name string) *job.Job) *job.Refusal {
	return check(jobs, func(name string) ([]string, bool) {
		if j := find(name); j != nil {
			return j.Parents, true
		}
		return nil, false
	})
}

func check(jobs []*job.Job, now func(name string) (parents []string, exists bool)) *job.Refusal {
	changed := map[string][]string{}
	for _, j := range jobs {
		changed[j.Name] = j.Parents
	}
	parents := func(name string) ([]string, bool) {
		if p, ok := changed[name]; ok {
			return p, true
		}
		return now(name)
	}
	for _, j := range jobs {
		var missing []string
		for _, p := range j.Parents {
			if _, ok := parents(p); !ok {
				missing = append(missing, p)
			}
		}
		if len(missing) > 0 {
			return job.Invalid("The job %s has parents that do not exist: %s. Create them first.", j.Name, list(missing, ", "))
		}
		if path := cycle(j.Name, parents); path != nil {
			return job.Invalid("The parents of %s would make a cycle: %s. Leave one of them out.", j.Name, list(path, " → "))
		}
	}
	return nil
}

// list names the first of many.
func list(names []string, between string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], between) + between + "…"
	}
	return strings.Join(names, between)
}

// cycle is a shortest path from a job along its children back to itself, nil for none.
func cycle(name string, parents func(string) ([]string, bool)) []string {
	below := map[string]string{} // from a job to the child by which it was reached
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		above, _ := parents(at)
		for _, p := range above {
			if p == name {
				path := []string{name, at}
				for at != name {
					at = below[at]
					path = append(path, at)
				}
				return path
			}
			if _, seen := below[p]; !seen {
				below[p] = at
				queue = append(queue, p)
			}
		}
	}
	return nil
}

// Inherit is what becomes of a child when one of its parents is deleted: it gets that
// parent's parents in its place, and if it has no parent left, its schedule. All else
// stays; the schedule's anchor is that of the parent. The result is a new Job without
// a version; no slot before the deletion is the child's.
func Inherit(child, gone *job.Job) *job.Job {
	c := child.Clone()
	c.Version = 0
	c.Parents = slices.DeleteFunc(append(c.Parents, gone.Parents...), func(p string) bool { return p == gone.Name })
	slices.Sort(c.Parents)
	if c.Parents = slices.Compact(c.Parents); len(c.Parents) == 0 {
		c.Parents, c.Schedule, c.Zone, c.Created = nil, gone.Schedule, gone.Zone, gone.Created
	}
	return c
}
