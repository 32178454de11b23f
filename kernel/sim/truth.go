package sim

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

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
	updates map[taskKey][]string // update ids
	where   map[taskKey]string   // machine that stored them
	starts  map[taskKey]int
}

func newTruth() truth {
	return truth{updates: map[taskKey][]string{}, where: map[taskKey]string{}, starts: map[taskKey]int{}}
}

// stored notes a record that is on an agent's disk.
func (t *truth) stored(m *machine, r *ledger.Record) {
	if r.Update == nil || r.Update.Acked {
		return
	}
	key := taskKey{r.Update.FrameworkID, r.Update.Status.TaskID}
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
