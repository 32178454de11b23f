package sdktest

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// checkup is the health of a process whose task has checks. None is really made:
// the outcome of the task, or Kernel.Health, says what they find.
type checkup struct {
	checks  []sdk.HealthCheck
	results []sdk.HealthResult
	well    time.Time // when all become alive; zero for never
	sick    time.Time // when all fail next; zero for never
	ended   bool      // it is killed for its health
}

func newCheckup(task *sdk.TaskInfo, o *Outcome, now time.Time) *checkup {
	checks := task.HealthChecks
	if len(checks) == 0 && task.HealthCheck != nil {
		checks = []sdk.HealthCheck{*task.HealthCheck}
	}
	h := &checkup{checks: checks, results: make([]sdk.HealthResult, len(checks))}
	if len(checks) == 0 {
		return h
	}
	if o.HealthyAfter >= 0 {
		h.well = now.Add(o.HealthyAfter)
	}
	if o.SickAfter > 0 {
		h.sick = now.Add(o.SickAfter)
	}
	return h
}

// interval is the shortest of the checks'.
func (h *checkup) interval() time.Duration {
	shortest := 10.0
	for i := range h.checks {
		if s := h.checks[i].IntervalSeconds; s != nil {
			shortest = min(shortest, *s)
		}
	}
	return time.Duration(shortest * float64(time.Second))
}

// checked makes the checks that are due.
func (p *process) checked(now time.Time) bool {
	h := p.health
	if p.killed || p.host() == nil {
		return false
	}
	switch {
	case !h.well.IsZero() && !h.well.After(now):
		h.well = time.Time{}
		for i := range h.checks {
			p.found(i, "")
		}
	case !h.sick.IsZero() && !h.sick.After(now):
		h.sick = h.sick.Add(h.interval())
		for i := range h.checks {
			p.found(i, "sick")
		}
	default:
		return false
	}
	return true
}

// found is one result of a check, as the default executor takes it: cause is empty
// for a success.
func (p *process) found(i int, cause string) {
	h := p.health
	if p.killed || i >= len(h.results) {
		return
	}
	r, now := &h.results[i], float64(p.a.k.now().UnixMicro())/1e6
	alive := cause == ""
	changed := r.Alive == nil || *r.Alive != alive
	r.Alive = &alive
	if alive {
		r.ConsecutiveFailures, r.LastSuccess = 0, now
		if r.FirstSuccess == 0 {
			r.FirstSuccess = now
		}
	} else {
		r.ConsecutiveFailures++
		r.LastFailure, r.LastFailureCause = now, cause
	}
	if alive && !changed {
		return
	}
	s := sdk.TaskStatus{TaskID: p.task.TaskID, State: sdk.TaskRunning, Reason: sdk.ReasonTaskHealthCheckStatusUpdated}
	h.describe(&s)
	p.host().update(sdk.ExecutorUpdate{Status: s})
	limit := uint32(3)
	if c := h.checks[i].ConsecutiveFailures; c != nil {
		limit = *c
	}
	if !alive && r.ConsecutiveFailures >= limit && !h.checks[i].ReportOnly {
		h.ended = true
		p.kill(nil)
	}
}

// describe puts the health into a status.
func (h *checkup) describe(s *sdk.TaskStatus) {
	if len(h.results) == 0 {
		return
	}
	s.HealthResults = append([]sdk.HealthResult(nil), h.results...)
	open, healthy := false, true
	for i := range h.results {
		a := h.results[i].Alive
		open, healthy = open || a == nil, healthy && (a == nil || *a)
	}
	if !healthy || !open {
		s.Healthy = &healthy
	}
}

// Health says what check number i of a running task finds now: cause is why it
// fails, empty for a success. A failure always counts, and as many in a row as the
// check allows end the task. It fails when no such task runs, or when it has no
// such check or no executor.
func (k *Kernel) Health(task sdk.TaskID, i int, cause string) error {
	return k.withTask(task, func(p *process) error {
		if i < 0 || i >= len(p.health.checks) || p.host() == nil {
			return sdk.Errorf(sdk.CodeNotFound, "check", "task %s has %d checks, and this is number %d, or its executor is away", task, len(p.health.checks), i)
		}
		p.found(i, cause)
		return nil
	})
}
