package probe

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// ChecksOf are the health checks of a task, in the order of their results.
func ChecksOf(info *sdk.TaskInfo) []sdk.HealthCheck {
	if len(info.HealthChecks) == 0 && info.HealthCheck != nil {
		return []sdk.HealthCheck{*info.HealthCheck}
	}
	return info.HealthChecks
}

// Task is the health of one task: all of its checks.
type Task struct {
	Checks []*Check
	told   uint64 // updates so far
}

// NewTask begins the checks at now, of a task that was started at start. m is what
// a predecessor remembered, or zero.
func NewTask(checks []sdk.HealthCheck, start, now time.Time, m Memory) *Task {
	t := &Task{told: m.Told}
	for i := range checks {
		var known sdk.HealthResult
		if len(m.Results) == len(checks) {
			known = m.Results[i]
		}
		t.Checks = append(t.Checks, New(RuleOf(&checks[i]), start, now, known))
	}
	return t
}

// Results are those of the checks, in their order.
func (t *Task) Results() []sdk.HealthResult {
	out := make([]sdk.HealthResult, len(t.Checks))
	for i, c := range t.Checks {
		out[i] = c.Result()
	}
	return out
}

// Healthy is true when every check is alive, false when one is not, and nil while
// that is open.
func (t *Task) Healthy() *bool { return healthy(t.Results()) }

func healthy(results []sdk.HealthResult) *bool {
	all := true
	for i := range results {
		if a := results[i].Alive; a == nil {
			all = false
		} else if !*a {
			return a
		}
	}
	if !all {
		return nil
	}
	return &all
}

// Message is results as a sentence for people: the first check that fails.
func Message(results []sdk.HealthResult) string {
	for i := range results {
		if r := &results[i]; r.Alive != nil && !*r.Alive {
			return fmt.Sprintf("Health check %d failed, %d in a row: %s", i, r.ConsecutiveFailures, r.LastFailureCause)
		}
	}
	if healthy(results) == nil {
		return "Not every health check has a result"
	}
	return "Every health check succeeds"
}

// Memory is what a successor must know. It is written down before each update, so
// that the successor can tell the same update again, by its number.
type Memory struct {
	Version uint32             `wire:"1,version,required"`
	Told    uint64             `wire:"2,told"` // number of the last update, from 1; 0 for none
	Results []sdk.HealthResult `wire:"3,results"`
}

// memoryVersion is the format of Memory; a newer one is refused.
const memoryVersion = 1

// Told is the number of the last update.
func (t *Task) Told() uint64 { return t.told }

// Remember counts an update that is about to be told, and gives what is to be
// written down before it is.
func (t *Task) Remember() ([]byte, error) {
	t.told++
	return wire.Marshal(wire.Msgpack, &Memory{Version: memoryVersion, Told: t.told, Results: t.Results()})
}

// Recall reads what Remember gave. CodeUnsupported: a newer version wrote it.
func Recall(data []byte) (Memory, error) {
	var m Memory
	if err := wire.Unmarshal(wire.Msgpack, data, &m); err != nil {
		return Memory{}, err
	}
	if m.Version > memoryVersion {
		return Memory{}, sdk.Errorf(sdk.CodeUnsupported, "version", "is %d; this version reads up to %d", m.Version, memoryVersion)
	}
	if len(m.Results) > sdk.MaxHealthChecks {
		return Memory{}, sdk.Errorf(sdk.CodeInvalid, "results", "has %d entries; a task has at most %d checks", len(m.Results), sdk.MaxHealthChecks)
	}
	return m, nil
}
