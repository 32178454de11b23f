package event

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
)

// TestShapes compares each type with the keys that Marathon's clients read.
func TestShapes(t *testing.T) {
	at := time.Date(2021, 7, 27, 10, 0, 0, 123e6, time.UTC)
	yes, zero := true, 0
	check := app.HealthCheck{Protocol: app.HTTP, Path: "/", PortIndex: &zero, GracePeriodSeconds: 300, IntervalSeconds: 60, TimeoutSeconds: 20, MaxConsecutiveFailures: 3, IPProtocol: "IPv4"}
	const checkJSON = `{"protocol":"HTTP","path":"/","portIndex":0,"gracePeriodSeconds":300,"intervalSeconds":60,"timeoutSeconds":20,"delaySeconds":0,"maxConsecutiveFailures":3,"ignoreHttp1xx":false,"ipProtocol":"IPv4"}`
	step := []Action{{"ScaleApplication", "/web"}}
	plan := NewPlan("d1", "V", [][]Action{step})
	const planJSON = `{"id":"d1","version":"V","original":{},"target":{},"steps":[{"actions":[{"action":"ScaleApplication","app":"/web"}]}]}`
	const stepJSON = `{"actions":[{"action":"ScaleApplication","app":"/web"}]}`
	for _, c := range []struct {
		body Body
		want string // what follows eventType and timestamp
	}{
		{StatusUpdate{"a1", "web.1", "TASK_RUNNING", "up & <well>\n", "/web", "h1", IPAddresses([]string{"10.0.0.1", "::1"}), []int{31000}, "V"},
			`"slaveId":"a1","taskId":"web.1","taskStatus":"TASK_RUNNING","message":"up & <well>\n","appId":"/web","host":"h1","ipAddresses":[{"ipAddress":"10.0.0.1","protocol":"IPv4"},{"ipAddress":"::1","protocol":"IPv6"}],"ports":[31000],"version":"V"`},
		{InstanceChanged{"web.1", Condition("TASK_RUNNING"), "/web", "a1", "h1", "V"}, `"instanceId":"web.1","condition":"Running","runSpecId":"/web","agentId":"a1","host":"h1","runSpecVersion":"V"`},
		{UnknownInstanceTerminated{"x.1", "/x", "Killed"}, `"instanceId":"x.1","runSpecId":"/x","condition":"Killed"`},
		{AddHealthCheck{"/web", "V", check}, `"appId":"/web","version":"V","healthCheck":` + checkJSON},
		{RemoveHealthCheck{"/web"}, `"appId":"/web"`},
		{FailedHealthCheck{"/web", "web.1", "web.1", check}, `"appId":"/web","taskId":"web.1","instanceId":"web.1","healthCheck":` + checkJSON},
		{HealthStatusChanged{"/web", "web.1", "web.1", "V", true}, `"appId":"/web","instanceId":"web.1","taskId":"web.1","version":"V","alive":true`},
		{InstanceHealthChanged{"web.1", "/web", "V", &yes}, `"instanceId":"web.1","runSpecId":"/web","runSpecVersion":"V","healthy":true`},
		{InstanceHealthChanged{"web.1", "/web", "V", nil}, `"instanceId":"web.1","runSpecId":"/web","runSpecVersion":"V","healthy":null`},
		{UnhealthyInstanceKill{"/web", "web.1", "web.1", "V", "refused", "h1", "a1"}, `"appId":"/web","taskId":"web.1","instanceId":"web.1","version":"V","reason":"refused","host":"h1","slaveId":"a1"`},
		{DeploymentInfo{plan, NewStep(step)}, `"plan":` + planJSON + `,"currentStep":` + stepJSON},
		{DeploymentStepSuccess{plan, NewStep(step)}, `"plan":` + planJSON + `,"currentStep":` + stepJSON},
		{DeploymentStepFailure{plan, NewStep(nil)}, `"plan":` + planJSON + `,"currentStep":{"actions":[]}`},
		{DeploymentSuccess{"d1", NewPlan("d1", "V", nil)}, `"id":"d1","plan":{"id":"d1","version":"V","original":{},"target":{},"steps":[]}`},
		{DeploymentFailed{"d1", plan, "cancelled"}, `"id":"d1","plan":` + planJSON + `,"reason":"cancelled"`},
		{AppTerminated{"/web"}, `"appId":"/web"`},
		{GroupChangeSuccess{"/", "V"}, `"groupId":"/","version":"V"`},
		{GroupChangeFailed{"/", "V", "no"}, `"groupId":"/","version":"V","reason":"no"`},
		{SchedulerRegistered{"f1", "m1"}, `"frameworkId":"f1","master":"m1"`},
		{SchedulerReregistered{"f1", "m1"}, `"frameworkId":"f1","master":"m1"`},
		{SchedulerDisconnected{}, ``},
		{StreamAttached{"1.2.3.4"}, `"remoteAddress":"1.2.3.4"`},
		{StreamDetached{"1.2.3.4"}, `"remoteAddress":"1.2.3.4"`},
		{Gap{3, 9}, `"after":3,"first":9`},
	} {
		got := New(at, c.body)
		want := `{"eventType":"` + c.body.EventType() + `","timestamp":"2021-07-27T10:00:00.123Z"`
		if c.want != "" {
			want += ","
		}
		want += c.want + "}"
		if string(got.Data) != want || got.Type != c.body.EventType() {
			t.Errorf("%T:\n%s\nwanted\n%s", c.body, got.Data, want)
		}
		if !json.Valid(got.Data) || strings.ContainsAny(string(got.Data), "\r\n") {
			t.Errorf("%T is not one line of JSON: %q", c.body, got.Data)
		}
	}
}

func TestAPIPostHasTheDefinition(t *testing.T) {
	cmd := "a && b"
	got := New(time.Unix(0, 0), APIPost{"1.2.3.4", "/v2/apps", &app.App{ID: "/web", Cmd: &cmd, Version: "V"}})
	var back struct {
		AppDefinition struct{ ID, Cmd, Version string }
	}
	if err := json.Unmarshal(got.Data, &back); err != nil || back.AppDefinition.Cmd != cmd || back.AppDefinition.ID != "/web" || !strings.Contains(string(got.Data), `"cmd":"a && b"`) {
		t.Errorf("%v: %s", err, got.Data)
	}
}

func TestConditions(t *testing.T) {
	for state, want := range map[string]string{"TASK_STAGING": "Staging", "TASK_KILLING": "Killing", "TASK_GONE_BY_OPERATOR": "GoneByOperator", "TASK_UNREACHABLE": "Unreachable", "whatever": "Unknown", "": "Unknown"} {
		if got := Condition(state); got != want {
			t.Errorf("%s: %s, wanted %s", state, got, want)
		}
	}
	if !OnRequest("scheduler_registered_event") || OnRequest("status_update_event") {
		t.Error("exactly the scheduler's events are told on request only")
	}
}
