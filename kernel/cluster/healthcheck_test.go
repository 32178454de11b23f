package cluster

import (
	"math"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

func seconds(f float64) *float64 { return &f }

func httpCheck(change func(*sdk.HealthCheck)) sdk.HealthCheck {
	h := sdk.HealthCheck{Type: sdk.HealthCheckHTTP, HTTP: &sdk.HTTPCheckInfo{Port: 31000, Path: "/health"}}
	change(&h)
	return h
}

func commandCheck(c sdk.CommandInfo) sdk.HealthCheck {
	return sdk.HealthCheck{Type: sdk.HealthCheckCommand, Command: &c}
}

// TestHealthChecksAreValidated breaks each rule once; the refusal names the field.
func TestHealthChecksAreValidated(t *testing.T) {
	tcp := &sdk.TCPCheckInfo{Port: 1}
	for _, c := range []struct {
		check sdk.HealthCheck
		want  string // "" for a good one
	}{
		{httpCheck(func(h *sdk.HealthCheck) {}), ""},
		{httpCheck(func(h *sdk.HealthCheck) { h.HTTP.Scheme, h.HTTP.Statuses = "https", []uint32{200, 404} }), ""},
		{httpCheck(func(h *sdk.HealthCheck) { h.GracePeriodSeconds, h.DelaySeconds = seconds(0), seconds(0) }), ""},
		{commandCheck(sdk.CommandInfo{Value: "true"}), ""},
		{sdk.HealthCheck{Type: sdk.HealthCheckTCP, TCP: tcp}, ""},
		{httpCheck(func(h *sdk.HealthCheck) { h.IntervalSeconds = seconds(0) }), "health_checks[1].interval_seconds"},
		{httpCheck(func(h *sdk.HealthCheck) { h.IntervalSeconds = seconds(1e9) }), "health_checks[1].interval_seconds"},
		{httpCheck(func(h *sdk.HealthCheck) { h.IntervalSeconds = seconds(math.NaN()) }), "health_checks[1].interval_seconds"},
		{httpCheck(func(h *sdk.HealthCheck) { h.DelaySeconds = seconds(-1) }), "health_checks[1].delay_seconds"},
		{httpCheck(func(h *sdk.HealthCheck) { h.TimeoutSeconds = seconds(0) }), "health_checks[1].timeout_seconds"},
		{httpCheck(func(h *sdk.HealthCheck) { h.GracePeriodSeconds = seconds(-0.5) }), "health_checks[1].grace_period_seconds"},
		{httpCheck(func(h *sdk.HealthCheck) { h.Command = &sdk.CommandInfo{Value: "true"} }), "health_checks[1].command` must not be set"},
		{httpCheck(func(h *sdk.HealthCheck) { h.HTTP, h.TCP = nil, nil }), "health_checks[1].http` is missing"},
		{httpCheck(func(h *sdk.HealthCheck) { h.HTTP, h.TCP, h.Type = nil, nil, "" }), "health_checks[1].type"},
		{httpCheck(func(h *sdk.HealthCheck) { h.HTTP.Port = 0 }), "health_checks[1].http.port"},
		{httpCheck(func(h *sdk.HealthCheck) { h.HTTP.Port = 65536 }), "health_checks[1].http.port"},
		{httpCheck(func(h *sdk.HealthCheck) { h.HTTP.Path = "health" }), "health_checks[1].http.path"},
		{httpCheck(func(h *sdk.HealthCheck) { h.HTTP.Path = "/a HTTP/1.1\r\nEvil: 1" }), "health_checks[1].http.path"},
		{httpCheck(func(h *sdk.HealthCheck) { h.HTTP.Scheme = "ftp" }), "health_checks[1].http.scheme"},
		{httpCheck(func(h *sdk.HealthCheck) { h.HTTP.Statuses = []uint32{200, 0} }), "health_checks[1].http.statuses[1]"},
		{httpCheck(func(h *sdk.HealthCheck) { h.HTTP.Protocol = "IPv5" }), "health_checks[1].http.protocol"},
		{sdk.HealthCheck{Type: sdk.HealthCheckTCP, TCP: &sdk.TCPCheckInfo{}}, "health_checks[1].tcp.port"},
		{commandCheck(sdk.CommandInfo{}), "health_checks[1].command.value"},
		{commandCheck(sdk.CommandInfo{Value: "true", User: "root"}), "health_checks[1].command.user"},
		{commandCheck(sdk.CommandInfo{Value: "true", URIs: []sdk.URI{{Value: "file:///x"}}}), "health_checks[1].command.uris"},
		{commandCheck(sdk.CommandInfo{Value: "true", Environment: &sdk.Environment{Variables: []sdk.Variable{{Name: "a=b"}}}}), "health_checks[1].command` is invalid"},
	} {
		task := &sdk.TaskInfo{HealthChecks: []sdk.HealthCheck{httpCheck(func(*sdk.HealthCheck) {}), c.check}}
		got := checkHealth(task)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("got %q, want %q in it", got, c.want)
		}
	}
}

func TestHealthChecksOfATask(t *testing.T) {
	one := httpCheck(func(*sdk.HealthCheck) {})
	for want, task := range map[string]*sdk.TaskInfo{
		"health_check.http.port":   {HealthCheck: &sdk.HealthCheck{Type: sdk.HealthCheckHTTP, HTTP: &sdk.HTTPCheckInfo{}}},
		"leave `health_check` out": {HealthCheck: &one, HealthChecks: []sdk.HealthCheck{one}},
		"has 17 checks":            {HealthChecks: make([]sdk.HealthCheck, sdk.MaxHealthChecks+1)},
		"`check` is not supported": {Check: &sdk.CheckInfo{}},
	} {
		if got := checkHealth(task); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
	custom := &sdk.ExecutorInfo{Type: sdk.ExecutorCustom}
	if got := checkHealth(&sdk.TaskInfo{Executor: custom, Check: &sdk.CheckInfo{}}); got != "" {
		t.Errorf("a check of a custom executor's task was refused: %s", got)
	}
}
