package command

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// web is a server whose health a test decides; it stands for what a task serves.
type web struct {
	port   uint32
	status atomic.Int32
	asked  atomic.Int32
}

func newWeb(t *testing.T) *web {
	w := &web{}
	w.status.Store(200)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		w.asked.Add(1)
		rw.WriteHeader(int(w.status.Load()))
	}))
	t.Cleanup(s.Close)
	w.port = uint32(s.Listener.Addr().(*net.TCPAddr).Port)
	return w
}

// check is a fast one of the server, without a grace.
func (w *web) check(failures uint32, reportOnly bool) sdk.HealthCheck {
	fast, none := 0.1, 0.0
	return sdk.HealthCheck{Type: sdk.HealthCheckHTTP, HTTP: &sdk.HTTPCheckInfo{Port: w.port, Path: "/health"}, ReportOnly: reportOnly,
		DelaySeconds: &fast, IntervalSeconds: &fast, GracePeriodSeconds: &none, ConsecutiveFailures: &failures}
}

func commandCheck(script string) sdk.HealthCheck {
	fast, none := 0.1, 0.0
	return sdk.HealthCheck{Type: sdk.HealthCheckCommand, Command: &sdk.CommandInfo{Value: script}, ReportOnly: true,
		DelaySeconds: &fast, IntervalSeconds: &fast, GracePeriodSeconds: &none}
}

func (a *agent) runChecked(spec *sdk.LaunchSpec, checks ...sdk.HealthCheck) {
	a.hold(spec)
	e := launchEvent(spec)
	e.Launch.Task.HealthChecks = checks
	a.send(e)
}

// healthy waits for a health update of the running task, the n-th of that health.
func (a *agent) healthy(id sdk.TaskID, want bool, n int) (found sdk.TaskStatus) {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.await(string(id)+" in that health", func() bool {
		seen := 0
		for _, u := range a.told[id] {
			if s := u.Status; s.State == sdk.TaskRunning && s.Healthy != nil && *s.Healthy == want {
				if seen++; seen == n {
					found = s
					return true
				}
			}
		}
		return false
	})
	return found
}

func sleeper(a *agent, id string) *sdk.LaunchSpec {
	return a.spec(id, "trap 'exit 0' TERM; while :; do sleep 0.05; done")
}

func TestUnhealthyTaskIsKilled(t *testing.T) {
	a, w := newAgent(t), newWeb(t)
	a.killing = true
	l := a.dial()
	a.startExecutor(l, "ex1")
	a.runChecked(sleeper(a, "t1"), w.check(3, false))
	running := a.state("t1", sdk.TaskRunning)
	s := a.healthy("t1", true, 1)
	if s.Reason != sdk.ReasonTaskHealthCheckStatusUpdated || len(s.HealthResults) != 1 || !*s.HealthResults[0].Alive {
		t.Errorf("healthy is told as %+v", s)
	}
	if early := s.HealthResults[0].FirstSuccess - running.Status.Timestamp; early > 1 {
		t.Errorf("it was healthy %.3f s after its start", early)
	}
	w.status.Store(503)
	killing := a.state("t1", sdk.TaskKilling).Status
	end := a.end("t1").Status
	if end.State != sdk.TaskKilled || end.Healthy == nil || *end.Healthy || end.Reason != sdk.ReasonTaskHealthCheckStatusUpdated ||
		!strings.Contains(end.Message, "Health check 0 failed, 3 in a row: GET /health at 127.0.0.1") || !strings.Contains(end.Message, "status 503: Command exited") {
		t.Errorf("the end is %+v", end)
	}
	if killing.Healthy == nil || *killing.Healthy || end.HealthResults[0].ConsecutiveFailures != 3 {
		t.Errorf("killing: healthy %v; end: %+v", killing.Healthy, end.HealthResults)
	}
	a.settled("t1")
	a.noHealthAfter("t1", sdk.TaskKilling)
	a.quit(l, "ex1")
}

// noHealthAfter wants no health update behind the state.
func (a *agent) noHealthAfter(id sdk.TaskID, state sdk.TaskState) {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	after := false
	for _, u := range a.told[id] {
		after = after || u.Status.State == state
		if after && u.Status.State == sdk.TaskRunning {
			a.t.Errorf("%s is told %+v after %s", id, u.Status, state)
		}
	}
}

// A check that reports: an update for each counted failure, none for each success.
func TestReportOnly(t *testing.T) {
	a, w := newAgent(t), newWeb(t)
	l := a.dial()
	a.startExecutor(l, "ex1")
	w.status.Store(500)
	a.runChecked(sleeper(a, "t1"), w.check(1, true), commandCheck("true"))
	s := a.healthy("t1", false, 3)
	if r := s.HealthResults; r[0].ConsecutiveFailures < 3 || r[1].Alive == nil || !*r[1].Alive {
		t.Errorf("the third failure is told as %+v", r)
	}
	w.status.Store(200)
	a.healthy("t1", true, 1)
	from := w.asked.Load()
	eventually(t, "three more checks", func() bool { return w.asked.Load() >= from+3 })
	a.mu.Lock()
	updates := len(a.told["t1"])
	a.mu.Unlock()
	a.kill("t1", 0)
	if end := a.end("t1").Status; end.Healthy != nil || end.Reason != "" || end.State != sdk.TaskKilled {
		t.Errorf("the end is %+v", end)
	}
	a.mu.Lock()
	if n := len(a.told["t1"]); n != updates+1 {
		t.Errorf("%d updates were told of successes", n-updates-1)
	}
	a.mu.Unlock()
	a.quit(l, "ex1")
}

// The executor is killed: its successor goes on with the checks, knows what was
// found, and ends the check that the dead one was making.
func TestChecksGoOnUnderASuccessor(t *testing.T) {
	a, w := newAgent(t), newWeb(t)
	l := a.dial()
	p := a.startExecutor(l, "ex1")
	hang := filepath.Join(a.dir, "hang")
	slow := commandCheck(`test ! -e ` + hang + ` || { echo $$ > ` + hang + `.pid; exec sleep 600; }`)
	spec := sleeper(a, "t1")
	a.runChecked(spec, w.check(2, false), slow)
	before := a.healthy("t1", true, 1)
	if err := os.WriteFile(hang, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	pid := awaitPID(t, hang+".pid")
	a.killNow(int(p.PID))
	<-l.Exits()
	if err := os.Remove(hang); err != nil {
		t.Fatal(err)
	}
	second := a.startExecutor(l, "ex2")
	eventually(t, "the end of the dead executor's check", func() bool { return unix.Kill(pid, 0) != nil })
	asked := w.asked.Load()
	eventually(t, "two more checks", func() bool { return w.asked.Load() >= asked+2 })
	w.status.Store(503)
	one := a.healthy("t1", false, 1)
	if one.HealthResults[0].FirstSuccess != before.HealthResults[0].FirstSuccess {
		t.Errorf("the successor says %+v, its predecessor said %+v", one.HealthResults, before.HealthResults)
	}
	// Killed between two failures it still counts two in a row.
	a.killNow(int(second.PID))
	<-l.Exits()
	a.startExecutor(l, "ex3")
	if end := a.end("t1").Status; end.State != sdk.TaskKilled || end.Healthy == nil || *end.Healthy || end.HealthResults[0].ConsecutiveFailures != 2 {
		t.Errorf("the end is %+v", end)
	}
	a.settled("t1")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, old := range []string{"ex1", "ex2"} {
		if err := l.Forget(ctx, old); err != nil {
			t.Error(err)
		}
	}
	a.quit(l, "ex3")
}

func awaitPID(t *testing.T, path string) int {
	t.Helper()
	pid := 0
	eventually(t, "a pid in "+path, func() bool {
		b, err := os.ReadFile(path)
		pid = 0
		for _, c := range strings.TrimSpace(string(b)) {
			pid = pid*10 + int(c-'0')
		}
		return err == nil && pid > 0
	})
	return pid
}

// An unhealthy task of a group takes the group with it.
func TestUnhealthyTaskOfAGroup(t *testing.T) {
	a, w := newAgent(t), newWeb(t)
	l := a.dial()
	a.startExecutor(l, "ex1")
	w.status.Store(500)
	g := &sdk.ExecutorLaunchGroup{}
	for _, id := range []string{"g1", "g2"} {
		spec, task := sleeper(a, id), info(id)
		a.hold(spec)
		if id == "g1" {
			check := w.check(1, false)
			task.HealthCheck = &check
		}
		g.TaskGroup.Tasks, g.Specs = append(g.TaskGroup.Tasks, task), append(g.Specs, *spec)
	}
	a.send(&sdk.ExecutorEvent{Type: sdk.ExecutorEventLaunchGroup, LaunchGroup: g})
	if end := a.end("g1").Status; end.State != sdk.TaskKilled || end.Healthy == nil || *end.Healthy {
		t.Errorf("g1 ends as %+v", end)
	}
	if end := a.end("g2").Status; end.State != sdk.TaskKilled || end.Healthy != nil {
		t.Errorf("g2 ends as %+v", end)
	}
	a.quit(l, "ex1")
}

// An agent that does not store an update is told the latest when it does, and not
// each of the many that came meanwhile.
func TestHealthWaitsForTheAgent(t *testing.T) {
	a, w := newAgent(t), newWeb(t)
	l := a.dial()
	a.startExecutor(l, "ex1")
	a.mu.Lock()
	a.mute = true
	a.mu.Unlock()
	a.runChecked(sleeper(a, "t1"), w.check(1, true))
	first := a.healthy("t1", true, 1)
	w.status.Store(500)
	asked := w.asked.Load()
	eventually(t, "six more checks", func() bool { return w.asked.Load() >= asked+6 })
	a.mu.Lock()
	if n := len(a.told["t1"]); n != 2 {
		t.Errorf("%d updates were told before the first was acknowledged", n)
	}
	a.mute = false
	a.mu.Unlock()
	a.send(&sdk.ExecutorEvent{Type: sdk.ExecutorEventAcknowledged, Acknowledged: &sdk.Acknowledged{TaskID: "t1", UUID: first.UUID}})
	if s := a.healthy("t1", false, 1); s.HealthResults[0].ConsecutiveFailures < 4 {
		t.Errorf("the first that is told of the failures is %+v", s.HealthResults)
	}
	a.kill("t1", 0)
	a.end("t1")
	a.quit(l, "ex1")
}
