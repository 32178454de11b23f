package health

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// Result is what one health check of an instance has found so far. Times that have
// not been are zero.
type Result struct {
	Alive               *bool // nil: no result that counts yet
	ConsecutiveFailures int   // that count; those within the grace do not
	FirstSuccess        time.Time
	LastSuccess         time.Time
	LastFailure         time.Time
	Cause               string // of the last failure
}

// Read takes the results out of a status.
func Read(results []sdk.HealthResult) []Result {
	var list []Result
	for _, r := range results {
		list = append(list, Result{
			Alive: r.Alive, ConsecutiveFailures: int(r.ConsecutiveFailures), Cause: r.LastFailureCause,
			FirstSuccess: moment(r.FirstSuccess), LastSuccess: moment(r.LastSuccess), LastFailure: moment(r.LastFailure),
		})
	}
	return list
}

func moment(seconds float64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(seconds * 1e6)).UTC()
}

// Verdict is what the results mean.
type Verdict struct {
	// Healthy is false when a check fails, true when all succeed, nil when that is not
	// known yet or the app has no checks.
	Healthy *bool
	// Kill tells that the instance has to be ended: Check (an index) has failed too
	// often, which Reason says for people.
	Kill   bool
	Check  int
	Reason string
}

// Judge says what the results of an instance mean; checks are those of the version
// that it runs, and results theirs, in the same order. An unreachable instance is not
// ended by a check.
func Judge(checks []app.HealthCheck, results []Result, unreachable bool) Verdict {
	v := Verdict{Check: -1}
	if len(checks) == 0 {
		return v
	}
	good, bad := 0, false
	for i := range min(len(checks), len(results)) {
		r := &results[i]
		switch {
		case r.Alive == nil:
		case *r.Alive:
			good++
		default:
			bad = true
		}
		if !v.Kill && !unreachable && deadly(&checks[i], r) {
			v.Kill, v.Check = true, i
			v.Reason = fmt.Sprintf("health check %d (%s) failed %d times in a row: %s", i, checks[i].Protocol, r.ConsecutiveFailures, r.Cause)
		}
	}
	if bad || good == len(checks) {
		healthy := !bad
		v.Healthy = &healthy
	}
	return v
}

// deadly tells whether the failures are too many. Marathon compares the count before
// the failing probe, so that death comes on the failure after
// maxConsecutiveFailures, and 0 means never. What Mesos's spelling asks for is done
// beside the task.
func deadly(c *app.HealthCheck, r *Result) bool {
	if c.AgentMade() || c.MaxConsecutiveFailures == 0 {
		return false
	}
	return r.ConsecutiveFailures > c.MaxConsecutiveFailures
}
