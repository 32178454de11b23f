package sim

import (
	"fmt"
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
			m := w.machines[w.rng.IntN(len(w.machines))]
			var living []*executor
			for _, id := range sortedKeys(m.executors) {
				if m.executors[id].alive {
					living = append(living, m.executors[id])
				}
			}
			if len(living) > 0 {
				living[w.rng.IntN(len(living))].kill()
			}
		}},
		{"a scheduler crashes", 30, func(w *world) {
			s := w.schedulers[w.rng.IntN(len(w.schedulers))]
			if s.up {
				s.crash()
				w.after(w.between(100*time.Millisecond, 15*time.Second), s.name+" starts again", s.begin)
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
	}, troubledMasters()...)
}

// planFaults spreads the troubles over the run.
func (w *world) planFaults() {
	for _, f := range faults() {
		n := int(int64(f.anHour) * int64(w.opt.Length) / int64(time.Hour))
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
	}
	for _, s := range w.schedulers {
		w.after(time.Second, s.name+" is up", s.begin)
	}
}

// ended notes that a scheduler learned an end. That must be the truth: no process
// of the task is left.
func (t *truth) ended(w *world, s *scheduler, r *record, status *sdk.TaskStatus) {
	for _, m := range w.machines {
		for _, id := range sortedKeys(m.processes) {
			p := m.processes[id]
			if p.alive && p.framework == s.info.ID && p.task.TaskID == r.id {
				w.fail("%s was told that task %s is %s (%s), and its process lives on %s", s.name, r.id, status.State, status.Message, m.name)
			}
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
		if c := m.l.Counts(); c.Tasks > 0 || c.Unacknowledged > 0 || !c.Used.Empty() {
			var left []string
			for _, x := range m.l.Containers() {
				left = append(left, x.ID+" of executor "+string(x.Executor.ExecutorID))
			}
			w.fail("%s is not at rest: %d tasks, %d updates not acknowledged, %s used: %v", m.name, c.Tasks, c.Unacknowledged, c.Used, left)
		}
		for _, id := range sortedKeys(m.processes) {
			if m.processes[id].alive {
				w.fail("%s: the process of task %s lives on", m.name, m.processes[id].task.TaskID)
			}
		}
	}
	leading := 0
	for _, m := range w.masters {
		if m.leading() != nil {
			leading++
		}
		if m.applied != w.masters[0].applied || !m.voter {
			w.fail("%s has applied %d commands, %s %d", m.name, m.applied, w.masters[0].name, w.masters[0].applied)
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
