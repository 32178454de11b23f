package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// snapshot is what a deployment's watcher has read at one moment.
type snapshot struct {
	deployment *deployment // nil when it is over, or not yet listed
	apps       []app       // those that it changes and that are there, by id
	queue      queue
}

// waits says why the deployment does not go on, as far as anything waits.
func (s snapshot) waits() []string {
	var out []string
	for i := range s.apps {
		out = append(out, s.apps[i].starts(s.queue)...)
	}
	return out
}

// condition is what an instance does now, in a few words.
func (a *app) condition(i instance) string {
	words := []string{taskWord(i.State)}
	switch h := i.health(); {
	case i.State != "TASK_RUNNING" || len(a.HealthChecks) == 0:
	case h == "":
		words = append(words, "not checked yet")
	default:
		words = append(words, h+i.complaint())
	}
	if !a.current(i) {
		words = append(words, "old version")
	}
	return strings.Join(words, ", ")
}

// complaint is what the first check that fails says, in brackets.
func (i instance) complaint() string {
	for _, c := range i.Checks {
		if !c.Alive && c.Cause != "" {
			return " (" + firstLine(c.Cause) + ")"
		}
	}
	return ""
}

// taskWord is a state of Marathon's tasks as people say it.
func taskWord(state string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(state, "TASK_")), "_", " ")
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// progress tells what has changed from one moment to the next, in plain lines.
type progress struct {
	seen  map[string]string // condition by task id
	whose map[string]string // the app of a task
	waits []string
	fails map[string]string // newest failure by app
}

func newProgress() *progress {
	return &progress{seen: map[string]string{}, whose: map[string]string{}, fails: map[string]string{}}
}

// lines are those of s that are news since the last call.
func (p *progress) lines(s snapshot) []string {
	var out []string
	there := map[string]bool{}
	for i := range s.apps {
		a := &s.apps[i]
		for _, t := range sorted(a.Tasks) {
			there[t.ID] = true
			if now := a.condition(t); p.seen[t.ID] != now {
				p.seen[t.ID], p.whose[t.ID] = now, a.ID
				out = append(out, fmt.Sprintf("%s %s on %s: %s", a.ID, t.label(), address(t), now))
			}
		}
		if f := a.LastFailure; f != nil && p.fails[a.ID] != f.TaskID {
			if _, ours := p.seen[f.TaskID]; ours {
				out = append(out, fmt.Sprintf("%s %s on %s: %s: %s", a.ID, instance{ID: f.TaskID}.name(), f.Host, taskWord(f.State), firstLine(f.Message)))
			}
			p.fails[a.ID] = f.TaskID
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.seen)) {
		if !there[id] {
			out = append(out, fmt.Sprintf("%s %s: gone", p.whose[id], instance{ID: id}.name()))
			delete(p.seen, id)
		}
	}
	if waits := s.waits(); !slices.EqualFunc(waits, p.waits, sameWait) {
		out = append(out, waits...)
		p.waits = waits
	}
	return out
}

// sameWait compares two reasons without their numbers, which change all the time.
func sameWait(a, b string) bool {
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, s)
	}
	return letters(a) == letters(b)
}

// label names an instance in a line: its index and which run of it.
func (i instance) label() string {
	if i.Index == nil {
		return i.name()
	}
	return i.index() + " (" + i.name() + ")"
}

func address(t instance) string {
	if len(t.Ports) == 0 {
		return t.Host
	}
	return fmt.Sprintf("%s:%d", t.Host, t.Ports[0])
}

// board is the whole picture for a terminal: a line a service, one an instance below it.
func board(s snapshot) []string {
	var out []string
	for i := range s.apps {
		a := &s.apps[i]
		head := fmt.Sprintf("%s  %d of %d ready", a.ID, a.ready(), a.Instances)
		if d := s.deployment; d != nil && d.TotalSteps > 1 {
			head += fmt.Sprintf("  step %d of %d", d.CurrentStep, d.TotalSteps)
		}
		out = append(out, head)
		for _, t := range sorted(a.Tasks) {
			out = append(out, fmt.Sprintf("  %3s  %-8s  %-22s  %s", t.index(), t.name(), address(t), a.condition(t)))
		}
		if f := a.LastFailure; f != nil && a.Running < a.Instances {
			out = append(out, fmt.Sprintf("  last failure: %s on %s: %s", taskWord(f.State), f.Host, firstLine(f.Message)))
		}
	}
	for _, w := range s.waits() {
		out = append(out, "  "+w)
	}
	return out
}
