package probe

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/profferhq/proffer/sdk"
)

const (
	// firstEarly is when a check is tried first, from the start; then it doubles.
	firstEarly = 20 * time.Millisecond
	// minEarly is what an early try may take at least: a command check needs time to
	// start. The tries that fall into it are left out.
	minEarly = time.Second
	// maxCause bounds the text about a failure, in bytes.
	maxCause = 256
)

// Check is one health check of a running task.
type Check struct {
	rule   Rule
	start  time.Time // of the task
	result sdk.HealthResult

	due   time.Time // of the next probe, or of the one under way
	early bool      // the next probe is an early try
	began time.Time // of the probe under way; zero for none
}

// New begins a check at now, of a task that was started at start. known is what a
// predecessor has found, or zero.
func New(rule Rule, start, now time.Time, known sdk.HealthResult) *Check {
	c := &Check{rule: rule, start: start, result: known}
	c.plan(now)
	return c
}

// regular is when the first regular probe is due.
func (c *Check) regular() time.Time { return c.start.Add(c.rule.Delay) }

// plan finds the next probe after now, where there was no regular one to count
// from: an early try, the first regular probe, or the next of its series, so that
// the checks of a machine stay spread after an executor was replaced.
func (c *Check) plan(now time.Time) {
	c.early = false
	if first := c.regular(); first.After(now) {
		c.due = first
		if try := c.nextTry(now); c.result.FirstSuccess == 0 && try.Before(first) {
			c.due, c.early = try, true
		}
		return
	}
	behind := now.Sub(c.regular())
	missed := (behind + c.rule.Interval - 1) / c.rule.Interval
	c.due = c.regular().Add(missed * c.rule.Interval)
}

// nextTry is the first early try after now.
func (c *Check) nextTry(now time.Time) time.Time {
	gap := firstEarly
	for !c.start.Add(gap).After(now) {
		gap *= 2
	}
	return c.start.Add(gap)
}

// Due is when the next probe is to be made. While one is under way there is none,
// and Due is zero.
func (c *Check) Due() time.Time {
	if !c.began.IsZero() {
		return time.Time{}
	}
	return c.due
}

// Begin says that a probe begins, and how long it may take.
func (c *Check) Begin(now time.Time) time.Duration {
	c.began = now
	if !c.early {
		return c.rule.Timeout
	}
	// The first regular probe does not wait for an early one.
	left := min(c.regular().Sub(now), max(minEarly, c.nextTry(now).Sub(now)))
	return max(minTimeout, min(left, c.rule.Timeout))
}

// Verdict is what the result of a probe asks for.
type Verdict struct {
	Tell bool // an update is due
	End  bool // the task must end
}

// End takes the result of the probe under way; cause is why it failed, empty for a
// success.
func (c *Check) End(now time.Time, cause string) Verdict {
	began, early := c.began, c.early
	c.began = time.Time{}
	var v Verdict
	switch {
	case cause == "":
		v = c.succeeded(now)
	case early || c.inGrace(now):
	default:
		v = c.failed(now, cause)
	}
	switch {
	case early && now.Before(c.regular()):
		c.plan(now)
		return v
	case early: // it took the time that was left
		c.due, c.early = now, false
	default:
		c.due = began.Add(c.rule.Interval)
	}
	if c.due.Before(now) {
		c.due = now
	}
	return v
}

// inGrace tells whether a failure does not count: once healthy, the grace is over.
func (c *Check) inGrace(now time.Time) bool {
	return c.result.FirstSuccess == 0 && now.Before(c.start.Add(c.rule.Grace))
}

func (c *Check) succeeded(now time.Time) Verdict {
	r := &c.result
	changed := r.Alive == nil || !*r.Alive
	r.Alive, r.ConsecutiveFailures, r.LastSuccess = alive(true), 0, seconds(now)
	if r.FirstSuccess == 0 {
		r.FirstSuccess = r.LastSuccess
	}
	return Verdict{Tell: changed}
}

func (c *Check) failed(now time.Time, cause string) Verdict {
	r := &c.result
	r.Alive, r.LastFailure, r.LastFailureCause = alive(false), seconds(now), sentence(cause)
	if r.ConsecutiveFailures < 1<<32-1 {
		r.ConsecutiveFailures++
	}
	return Verdict{Tell: true, End: !c.rule.ReportOnly && r.ConsecutiveFailures >= c.rule.Failures}
}

// Result is what the check has found so far. Nothing in it is changed afterwards.
func (c *Check) Result() sdk.HealthResult { return c.result }

func alive(b bool) *bool { return &b }

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// sentence is a cause in the form that a status may carry: valid, and not long.
func sentence(cause string) string {
	cause = strings.ToValidUTF8(cause, "?")
	if len(cause) <= maxCause {
		return cause
	}
	cut := maxCause - len("…")
	for cut > 0 && !utf8.RuneStart(cause[cut]) {
		cut--
	}
	return cause[:cut] + "…"
}
