package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// fault is one kind of trouble, and how often it comes in an hour.
type fault struct {
	name    string
	anHour  int
	trouble func(w *world)
}

func faults() []fault {
	return append([]fault{
		{"an agent crashes", 50, func(w *world) {
			m := w.machines[w.rng.IntN(len(w.machines))]
			if m.up {
				m.crash()
				w.after(w.between(200*time.Millisecond, 14*time.Second), m.name+" starts again", m.startAgent)
			}
		}},
		{"a machine reboots", 6, func(w *world) {
			m := w.machines[w.rng.IntN(len(w.machines))]
			if m.up {
				m.crash()
				m.reboot()
				w.after(w.between(5*time.Second, 40*time.Second), m.name+" boots", m.startAgent)
			}
		}},
		{"an executor crashes", 60, func(w *world) {
			if x := w.someExecutor(); x != nil {
				x.kill()
			}
		}},
		{"a scheduler crashes", 30, func(w *world) {
			s := w.schedulers[w.rng.IntN(len(w.schedulers))]
			if s.up {
				s.crash()
				w.after(w.between(100*time.Millisecond, 15*time.Second), s.name+" starts again", s.begin)
			}
		}},
		{"a framework's instance crashes", 40, func(w *world) {
			if len(w.programs) == 0 {
				return
			}
			p := w.programs[w.rng.IntN(len(w.programs))]
			i := p.instances[w.rng.IntN(len(p.instances))]
			if i.up {
				i.crash()
				w.after(w.between(100*time.Millisecond, 15*time.Second), i.name+" starts again", i.begin)
			}
		}},
		{"a framework's instance is stopped", 15, func(w *world) {
			if len(w.programs) == 0 {
				return
			}
			p := w.programs[w.rng.IntN(len(w.programs))]
			if i := p.instances[w.rng.IntN(len(p.instances))]; i.up {
				i.resign()
			}
		}},
		{"a framework's stream breaks", 20, func(w *world) {
			if len(w.programs) == 0 {
				return
			}
			p := w.programs[w.rng.IntN(len(w.programs))]
			for _, i := range p.instances {
				if i.stream != nil {
					i.stream.drop()
				}
			}
		}},
		{"an agent's stream breaks", 60, func(w *world) {
			m := w.machines[w.rng.IntN(len(w.machines))]
			if m.link != nil && m.link.stream != nil {
				m.link.stream.drop()
			}
		}},
		{"a scheduler's stream breaks", 40, func(w *world) {
			s := w.schedulers[w.rng.IntN(len(w.schedulers))]
			if s.stream != nil {
				s.stream.drop()
			}
		}},
	}, slices.Concat(troubledMasters(), operators(), lookers(), narrow())...)
}

// planFaults spreads the troubles over the run.
func (w *world) planFaults() {
	for _, f := range faults() {
		n := int((int64(f.anHour)*int64(w.opt.Length) + w.rng.Int64N(int64(time.Hour))) / int64(time.Hour))
		for range n {
			w.at(w.between(5*time.Second, w.opt.Length), "fault: "+f.name, func() {
				w.result.Faults++
				f.trouble(w)
			})
		}
	}
}

// heal ends all faults: what is down comes up, what is cut is whole.
func (w *world) heal() {
	w.calm = true
	w.net.heal()
	for _, m := range w.former {
		m.crash()
	}
	for _, m := range w.masters {
		w.after(time.Second, m.name+" is up", m.start)
	}
	for _, m := range w.machines {
		w.after(time.Second, m.name+" is up", m.startAgent)
		for d := 20 * time.Second; d < 3*time.Minute; d += 40 * time.Second {
			w.after(d, m.name+" is wanted again", func() { w.operate(sdk.OperatorReactivate, m.agent(), false) })
		}
	}
	w.after(time.Minute, "operators look for agents that never were", w.missNobody)
	for _, s := range w.schedulers {
		w.after(time.Second, s.name+" is up", s.begin)
	}
	for _, p := range w.programs {
		p.limit = 0
		for _, i := range p.instances {
			w.after(time.Second, i.name+" is up", i.begin)
		}
	}
}

// atRest looks at a cluster in which nothing has gone wrong for a long time.
func (w *world) atRest() {
	for _, s := range w.schedulers {
		for _, id := range sortedKeys(s.tasks) {
			if r := s.tasks[id]; !r.over {
				w.fail("%s knows no end of task %s on %s, launched %v after the start; it believes %q, its agent stored %d updates, it heard %d",
					s.name, id, r.agent, r.launched.Sub(w.start), r.state, len(w.truth.updates[taskKey{s.info.ID, id}]), len(r.heard))
				return
			}
		}
	}
	for _, m := range w.machines {
		if c := m.l.Counts(); w.idle(m) && (c.Tasks > 0 || c.Unacknowledged > 0 || !c.Used.Empty()) {
			var left []string
			for _, x := range m.l.Containers() {
				left = append(left, x.ID+" of executor "+string(x.Executor.ExecutorID))
			}
			w.fail("%s is not at rest: %d tasks, %d updates not acknowledged, %s used: %v", m.name, c.Tasks, c.Unacknowledged, c.Used, left)
		}
		for _, id := range sortedKeys(m.processes) {
			if p := m.processes[id]; p.alive && w.programOf(p.framework) == nil {
				w.fail("%s: the process of task %s lives on", m.name, m.processes[id].task.TaskID)
			}
		}
	}
	for _, p := range w.programs {
		p.atRest()
	}
	w.mastersAtRest()
}

// idle tells whether nothing of frameworks that go on is on a machine.
func (w *world) idle(m *machine) bool {
	for _, t := range m.l.Report().Tasks {
		if w.programOf(t.FrameworkID) != nil {
			return false
		}
	}
	return len(w.programs) == 0
}

func (w *world) mastersAtRest() {
	leading := 0
	for _, m := range w.masters {
		if m.leading() != nil {
			leading++
		}
		if m.last()+20 < w.masters[0].last() || !m.voter {
			w.fail("%s has %d commands, %s %d", m.name, m.last(), w.masters[0].name, w.masters[0].last())
		}
		if m.release != newest() || !w.masters[0].told(m) {
			w.fail("%s is of the release %+v, and %s knows the members %+v", m.name, m.release, w.masters[0].name, w.masters[0].reg.Members())
		}
	}
	if leading != 1 {
		w.fail("there are %d leaders", leading)
	}
}

// String is a line for people.
func (r Result) String() string {
	return fmt.Sprintf("%d steps, %d operations, %d faults, %d tasks launched, %d started, %d ends told, trace %016x", r.Steps, r.Operations, r.Faults, r.Launched, r.Started, r.Ended, r.Trace)
}
