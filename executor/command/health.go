package command

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/profferhq/proffer/executor/checker"
	"github.com/profferhq/proffer/executor/probe"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/executor"
)

// health has the checks of one task made, and tells what they find. It is the
// loop's; a timer stands for each check, and only a check that is being made has a
// goroutine.
type health struct {
	checks  []sdk.HealthCheck
	mind    *probe.Task
	timers  []*time.Timer
	ctx     context.Context
	cancel  context.CancelFunc
	stopped bool
	running int    // checks being made
	then    func() // to be called when none is, once stopped

	unacked bool // the agent has not stored the last update
	again   bool // there is news behind it
}

// healthFile keeps probe.Memory in the runtime directory of a container.
const healthFile = "health"

// watchHealth begins the checks of a task that was started at start.
func (e *Executor) watchHealth(t *task, checks []sdk.HealthCheck, start time.Time) {
	if len(checks) == 0 {
		return
	}
	now, known := time.Now(), e.recall(t)
	h := &health{checks: checks, mind: probe.NewTask(checks, start, now, known), timers: make([]*time.Timer, len(checks))}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	t.health = h
	if known.Told > 0 { // perhaps the agent has not got it
		e.sendHealth(t)
	}
	for i := range checks {
		e.schedule(t, i)
	}
}

// recall reads what a predecessor has found.
func (e *Executor) recall(t *task) probe.Memory {
	data, err := os.ReadFile(filepath.Join(t.runtimeDir, healthFile))
	var m probe.Memory
	if err == nil {
		m, err = probe.Recall(data)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.o.Log.Error("what is known of a task's health is lost", "task", t.id, "file", filepath.Join(t.runtimeDir, healthFile), "error", err)
	}
	return m
}

// schedule sets the timer of the next probe of a check.
func (e *Executor) schedule(t *task, i int) {
	h := t.health
	h.timers[i] = time.AfterFunc(max(0, time.Until(h.mind.Checks[i].Due())), func() {
		e.do(func() { e.check(t, i) })
	})
}

// check begins a probe.
func (e *Executor) check(t *task, i int) {
	h := t.health
	if h.stopped {
		return
	}
	ctx, cancel := context.WithTimeout(h.ctx, h.mind.Checks[i].Begin(time.Now()))
	dir := t.runtimeDir
	one := checker.Task{Index: i, Spec: func() (*sdk.LaunchSpec, error) {
		r, err := executor.ReadRecord(dir)
		if err != nil {
			return nil, err
		}
		return &r.Spec, nil
	}}
	h.running++
	go func() {
		err := e.checker.Check(ctx, &h.checks[i], one)
		cancel()
		e.do(func() { e.checked(t, i, err) })
	}()
}

// checked takes the result of a probe.
func (e *Executor) checked(t *task, i int, failure error) {
	h := t.health
	h.running--
	if h.stopped {
		if h.running == 0 && h.then != nil {
			h.then()
		}
		return
	}
	cause := ""
	if failure != nil {
		cause = failure.Error()
	}
	v := h.mind.Checks[i].End(time.Now(), cause)
	if v.Tell {
		e.tellHealth(t)
	}
	if v.End {
		e.o.Log.Info("unhealthy", "task", t.id, "check", i, "cause", cause)
		e.kill(t, executor.KillUnhealthy, t.grace)
		return
	}
	e.schedule(t, i)
}

// tellHealth tells the health of a task, once the agent has the last update: one
// that is away is told the latest when it is back, not every step to it.
func (e *Executor) tellHealth(t *task) {
	h := t.health
	if h.unacked {
		h.again = true
		return
	}
	data, err := h.mind.Remember()
	if err == nil {
		err = replaceFile(filepath.Join(t.runtimeDir, healthFile), data)
	}
	if err != nil { // the task counts on, and a successor begins anew
		e.o.Log.Error("a task's health is not written down", "task", t.id, "error", err)
	}
	e.sendHealth(t)
}

func (e *Executor) sendHealth(t *task) {
	h := t.health
	h.unacked, h.again = true, false
	s := sdk.TaskStatus{TaskID: t.id, State: sdk.TaskRunning, Reason: sdk.ReasonTaskHealthCheckStatusUpdated,
		Message: probe.Message(h.mind.Results()), UUID: healthID(t)}
	t.addHealth(&s)
	e.driver.Update(sdk.ExecutorUpdate{Status: s})
}

func healthID(t *task) []byte {
	return updateID(t.container, "health/"+strconv.FormatUint(t.health.mind.Told(), 10))
}

// healthStored says that the agent has the last update.
func (e *Executor) healthStored(t *task) {
	h := t.health
	h.unacked = false
	if h.again && !h.stopped {
		e.tellHealth(t)
	}
}

// stopHealth ends the checks of a task for good; no result counts any more.
func (t *task) stopHealth() {
	h := t.health
	if h == nil || h.stopped {
		return
	}
	h.stopped = true
	h.cancel()
	for _, timer := range h.timers {
		timer.Stop()
	}
}

// afterHealth calls then when no check of the task is being made, so that none is
// in its container when the agent empties that.
func (t *task) afterHealth(then func()) {
	t.stopHealth()
	if t.health == nil || t.health.running == 0 {
		then()
		return
	}
	t.health.then = then
}

// addHealth puts the health of a task into a status.
func (t *task) addHealth(s *sdk.TaskStatus) {
	if t.health != nil {
		s.Healthy, s.HealthResults = t.health.mind.Healthy(), t.health.mind.Results()
	}
}

// replaceFile writes a file so that it is always whole.
func replaceFile(path string, data []byte) error {
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// explainUnhealthy makes the end of a task that was killed for its health say so,
// as Mesos does: healthy is false in it.
func (e *Executor) explainUnhealthy(t *task, s *sdk.TaskStatus) {
	unhealthy := false
	s.Healthy, s.Reason = &unhealthy, sdk.ReasonTaskHealthCheckStatusUpdated
	if t.health != nil {
		s.HealthResults = t.health.mind.Results()
	} else {
		s.HealthResults = e.recall(t).Results // a predecessor decided it
	}
	s.Message = probe.Message(s.HealthResults) + ": " + s.Message
}
