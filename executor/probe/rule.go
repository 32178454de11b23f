package probe

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Rule is what a health check says about times and counts.
type Rule struct {
	Delay      time.Duration // from the start to the first regular probe
	Interval   time.Duration // from the begin of a regular probe to that of the next
	Timeout    time.Duration // that one probe may take
	Grace      time.Duration // from the start, in which failures do not count before the first success
	Failures   uint32        // counted in a row that end the task, at least 1
	ReportOnly bool          // never end it
}

// RuleOf reads a health check; what it leaves out has Mesos's defaults. As Mesos
// has it, 0 consecutive failures end the task at the first one.
func RuleOf(h *sdk.HealthCheck) Rule {
	r := Rule{
		Delay:      duration(h.DelaySeconds, 15),
		Interval:   max(duration(h.IntervalSeconds, 10), minInterval),
		Timeout:    max(duration(h.TimeoutSeconds, 20), minTimeout),
		Grace:      duration(h.GracePeriodSeconds, 10),
		Failures:   3,
		ReportOnly: h.ReportOnly,
	}
	if h.ConsecutiveFailures != nil {
		r.Failures = max(1, *h.ConsecutiveFailures)
	}
	return r
}

// The masters refuse less; this keeps a record of another version from spinning.
const (
	minInterval = 100 * time.Millisecond
	minTimeout  = 10 * time.Millisecond
)

// duration is seconds, from 0 to what a duration can hold by far.
func duration(seconds *float64, def float64) time.Duration {
	if seconds != nil {
		def = *seconds
	}
	const year = 365 * 24 * 3600
	if !(def > 0) {
		return 0
	}
	return time.Duration(min(def, year) * float64(time.Second))
}
