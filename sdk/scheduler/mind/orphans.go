package mind

import (
	"maps"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Orphans are tasks of the framework that it has no record of, such as those of a launch
// whose record was never stored. The zero value has none.
type Orphans struct {
	tasks map[sdk.TaskID]*orphan
}

type orphan struct {
	agent  sdk.AgentID
	killed time.Time // when a KILL was last said
}

// Add notes one; false: it was known.
func (o *Orphans) Add(task sdk.TaskID, agent sdk.AgentID) bool {
	if o.tasks[task] != nil {
		return false
	}
	if o.tasks == nil {
		o.tasks = map[sdk.TaskID]*orphan{}
	}
	o.tasks[task] = &orphan{agent: agent}
	return true
}

// Remove forgets one that has ended; false: it was not known.
func (o *Orphans) Remove(task sdk.TaskID) bool {
	known := o.tasks[task] != nil
	delete(o.tasks, task)
	return known
}

// Subscribed has the kills said again that may not have arrived.
func (o *Orphans) Subscribed() {
	for _, x := range o.tasks {
		x.killed = time.Time{}
	}
}

// Reap gives the kills that are due: of those that were not killed yet, or retry ago. It is
// to be called only when the kernel has told of all that there are records of: until then
// an orphan may be one of them.
func (o *Orphans) Reap(now time.Time, retry time.Duration) []Kill {
	var kills []Kill
	for _, task := range slices.Sorted(maps.Keys(o.tasks)) {
		if x := o.tasks[task]; x.killed.IsZero() || !now.Before(x.killed.Add(retry)) {
			x.killed = now
			kills = append(kills, Kill{Task: task, Agent: x.agent})
		}
	}
	return kills
}

// Due is when Reap has a kill to say again; zero: never.
func (o *Orphans) Due(retry time.Duration) time.Time {
	var due time.Time
	for _, x := range o.tasks {
		if at := x.killed.Add(retry); !x.killed.IsZero() && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	return due
}
