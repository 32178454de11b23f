package sim

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/profferhq/proffer/kernel/agent/ledger"
	"github.com/profferhq/proffer/sdk"
)

type taskKey struct {
	framework sdk.FrameworkID
	task      sdk.TaskID
}

// truth is what really happened, told by nobody: which updates an agent has made
// durable for a task, in order, and how often a task was started.
type truth struct {
	updates  map[taskKey][]string // update ids
	where    map[taskKey]string   // machine that stored them
	starts   map[taskKey]int
	gone     map[sdk.AgentID]time.Time // agents that were given up, and when
	nameless []sdk.AgentID             // given to new agents by masters that would not know them again
}

func newTruth() truth {
	return truth{updates: map[taskKey][]string{}, where: map[taskKey]string{}, starts: map[taskKey]int{}, gone: map[sdk.AgentID]time.Time{}}
}

// stored notes a record that is on an agent's disk, once.
func (t *truth) stored(m *machine, r *ledger.Record) {
	if r.Update == nil || r.Update.Acked {
		return
	}
	key := taskKey{r.Update.FrameworkID, r.Update.Status.TaskID}
	if slices.Contains(t.updates[key], string(r.Update.Status.UUID)) {
		return
	}
	t.updates[key] = append(t.updates[key], string(r.Update.Status.UUID))
	t.where[key] = m.name
}

// started counts a start; there must not be a second.
func (t *truth) started(w *world, f sdk.FrameworkID, id sdk.TaskID) {
	w.result.Started++
	key := taskKey{f, id}
	if t.starts[key]++; t.starts[key] > 1 {
		w.fail("task %s of %s was started %d times", id, f, t.starts[key])
	}
	if p := w.programOf(f); p != nil {
		p.check(p.f.Started(id, w.running(f)))
	}
}

// ended notes that a framework learned an end. That must be the truth: no process of
// the task is left. For what was given up with its agent an operator has answered.
func (t *truth) ended(w *world, who string, f sdk.FrameworkID, status *sdk.TaskStatus) {
	if status.State == sdk.TaskGoneByOperator {
		return
	}
	for _, m := range w.machines {
		for _, p := range m.processes {
			if (p.alive || p.child) && p.framework == f && p.task.TaskID == status.TaskID {
				w.fail("%s was told that task %s is %s (%s), and its process lives on %s", who, status.TaskID, status.State, status.Message, m.name)
			}
		}
	}
}

// told looks at a status that a program's instance gets: updates come in the order in
// which the agent has stored them, and none is left out.
func (p *program) told(who string, f sdk.FrameworkID, s *sdk.TaskStatus) {
	if s.State.Terminal() {
		p.w.truth.ended(p.w, who, f, s)
	}
	p.check(p.f.Told(s))
	if len(s.UUID) == 0 {
		return
	}
	stored := p.w.truth.updates[taskKey{f, s.TaskID}]
	n := slices.Index(stored, string(s.UUID))
	if n < 0 || n > p.heard[s.TaskID] {
		p.w.fail("%s hears update %d of task %s, %s, after %d others: %x", who, n+1, s.TaskID, s.State, p.heard[s.TaskID], stored)
	}
	p.heard[s.TaskID] = max(p.heard[s.TaskID], n+1)
}

// uuid is an update id from a container and a count.
func uuid(container string, n int) []byte {
	h := sha256.Sum256([]byte(fmt.Sprint(container, "/", n)))
	return h[:16]
}

// sortedKeys are a map's keys in order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
