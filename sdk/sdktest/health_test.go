package sdktest_test

import (
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
)

func webCheck(failures uint32, reportOnly bool) sdk.HealthCheck {
	interval := 5.0
	return sdk.HealthCheck{Type: sdk.HealthCheckHTTP, HTTP: &sdk.HTTPCheckInfo{Port: 31000}, ReportOnly: reportOnly,
		IntervalSeconds: &interval, ConsecutiveFailures: &failures}
}

// health takes updates until the running task is told to be so.
func (s *subject) health(want bool) sdk.TaskStatus {
	s.t.Helper()
	for {
		if status := s.wants(sdk.TaskRunning); status.Healthy != nil && *status.Healthy == want {
			return status
		}
	}
}

func TestATaskBecomesHealthyAndSick(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	s := runSubject(t, k, "healthy 3; sick 60; sleep infinity", webCheck(2, false))
	if status := s.wants(sdk.TaskRunning); status.Healthy != nil {
		t.Errorf("at its start it is %+v", status)
	}
	k.Advance(4 * time.Second)
	if status := s.health(true); len(status.HealthResults) != 1 || !*status.HealthResults[0].Alive {
		t.Errorf("healthy is %+v", status)
	}
	k.Advance(58 * time.Second)
	if status := s.health(false); status.HealthResults[0].ConsecutiveFailures != 1 || status.HealthResults[0].FirstSuccess == 0 {
		t.Errorf("sick is %+v", status)
	}
	k.Advance(5 * time.Second)
	if status := s.wants(sdk.TaskKilled); status.Healthy == nil || *status.Healthy || status.Reason != sdk.ReasonTaskHealthCheckStatusUpdated {
		t.Errorf("the end is %+v", status)
	}
}

func TestHealthByHand(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	s := runSubject(t, k, "healthy -1; sleep infinity", webCheck(1, true), webCheck(1, true))
	s.wants(sdk.TaskRunning)
	for i := range 2 {
		if err := k.Health("t1", i, ""); err != nil {
			t.Fatal(err)
		}
	}
	s.health(true)
	if err := k.Health("t1", 1, "answers with status 500"); err != nil {
		t.Fatal(err)
	}
	if status := s.health(false); !*status.HealthResults[0].Alive || status.HealthResults[1].LastFailureCause != "answers with status 500" {
		t.Errorf("sick is %+v", status)
	}
	if err := k.Health("t1", 2, ""); sdk.CodeOf(err) != sdk.CodeNotFound {
		t.Errorf("a third check: %v", err)
	}
	k.Elect() // a new leader hears of it from the agent
	s.health(false)
	if n := len(k.Running()); n != 1 {
		t.Errorf("%d tasks run: a check that reports does not kill", n)
	}
}
