package health

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

func TestJudge(t *testing.T) {
	yes, no := true, false
	http := app.HealthCheck{Protocol: app.HTTP, MaxConsecutiveFailures: 3}
	never := app.HealthCheck{Protocol: app.TCP}
	agent := app.HealthCheck{Protocol: app.MesosHTTP, MaxConsecutiveFailures: 3}
	first := app.HealthCheck{Protocol: app.Command}
	list := func(c ...app.HealthCheck) []app.HealthCheck { return c }
	for _, c := range []struct {
		name        string
		checks      []app.HealthCheck
		results     []Result
		unreachable bool
		want        string
	}{
		{"no checks", nil, nil, false, "unknown"},
		{"no result yet", list(http), nil, false, "unknown"},
		{"failures in the grace count for nothing", list(http), []Result{{Cause: "refused"}}, false, "unknown"},
		{"well", list(http), []Result{{Alive: &yes}}, false, "healthy"},
		{"one of two is not known", list(http, never), []Result{{Alive: &yes}, {}}, false, "unknown"},
		{"one of two has no result", list(http, never), []Result{{Alive: &yes}}, false, "unknown"},
		{"all are well", list(http, never), []Result{{Alive: &yes}, {Alive: &yes}}, false, "healthy"},
		{"one of two fails", list(http, never), []Result{{Alive: &yes}, {Alive: &no, ConsecutiveFailures: 1}}, false, "unhealthy"},
		{"three failures of three are not yet enough", list(http), []Result{{Alive: &no, ConsecutiveFailures: 3}}, false, "unhealthy"},
		{"the fourth is", list(http), []Result{{Alive: &no, ConsecutiveFailures: 4, Cause: "refused"}}, false, "unhealthy, kill: health check 0 (HTTP) failed 4 times in a row: refused"},
		{"zero never kills", list(never), []Result{{Alive: &no, ConsecutiveFailures: 4000}}, false, "unhealthy"},
		{"what Mesos's spelling asks for is done beside the task", list(agent), []Result{{Alive: &no, ConsecutiveFailures: 4}}, false, "unhealthy"},
		{"with zero too", list(first), []Result{{Alive: &no, ConsecutiveFailures: 1}}, false, "unhealthy"},
		{"an unreachable one is spared", list(http), []Result{{Alive: &no, ConsecutiveFailures: 4}}, true, "unhealthy"},
		{"the second check kills", list(never, http), []Result{{Alive: &yes}, {Alive: &no, ConsecutiveFailures: 9, Cause: "500"}}, false, "unhealthy, kill: health check 1 (HTTP) failed 9 times in a row: 500"},
	} {
		v := Judge(c.checks, c.results, c.unreachable)
		got := "unknown"
		if v.Healthy != nil {
			got = map[bool]string{true: "healthy", false: "unhealthy"}[*v.Healthy]
		}
		if v.Kill {
			got += ", kill: " + v.Reason
			if !strings.Contains(v.Reason, fmt.Sprint("check ", v.Check)) {
				t.Errorf("%s: check %d, reason %s", c.name, v.Check, v.Reason)
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, wanted %s", c.name, got, c.want)
		}
	}
}

func TestRead(t *testing.T) {
	yes := true
	got := Read([]sdk.HealthResult{{}, {Alive: &yes, ConsecutiveFailures: 2, FirstSuccess: 1.25, LastFailure: 1700000000.123, LastFailureCause: "refused"}})
	if len(got) != 2 || got[0] != (Result{}) {
		t.Fatalf("%+v", got)
	}
	r := got[1]
	if r.Alive != &yes || r.ConsecutiveFailures != 2 || r.Cause != "refused" || !r.FirstSuccess.Equal(time.UnixMilli(1250)) || !r.LastSuccess.IsZero() || r.LastFailure.UnixMilli() != 1700000000123 {
		t.Errorf("%+v", r)
	}
}
