package launch

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

func parse(t *testing.T, text string) *app.App {
	t.Helper()
	a, err := app.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	a.Version = "2024-01-01T00:00:00.000Z"
	return a
}

func run(a *app.App, ports ...int) Run {
	return Run{App: a, Index: 2, TaskID: "shop_web.1", AgentID: "a1", Host: "host1", Ports: ports, Resources: []sdk.Resource{sdk.NewScalar("cpus", 0.5)}}
}

// TestEnvironment holds every variable that an instance finds.
func TestEnvironment(t *testing.T) {
	a := parse(t, `{"id": "/shop/web", "cmd": "serve", "cpus": 0.5, "mem": 64, "env": {"MINE": "1", "PORT1": "mine too"},
		"labels": {"team-a": "x y", "Long": "`+strings.Repeat("l", 512)+`"},
		"portDefinitions": [{"port": 10007, "name": "http-api"}, {"port": 0}]}`)
	var got []string
	for _, v := range Task(run(a, 31005, 31009)).Command.Environment.Variables {
		got = append(got, v.Name+"="+v.Value)
	}
	want := `HOST=host1
MARATHON_APP_ENFORCE_GROUP_ROLE=false
MARATHON_APP_ID=/shop/web
MARATHON_APP_LABELS=TEAM_A
MARATHON_APP_LABEL_TEAM_A=x y
MARATHON_APP_RESOURCE_CPUS=0.5
MARATHON_APP_RESOURCE_DISK=0.0
MARATHON_APP_RESOURCE_GPUS=0
MARATHON_APP_RESOURCE_MEM=64.0
MARATHON_APP_VERSION=2024-01-01T00:00:00.000Z
MARATHON_INSTANCE_INDEX=2
MESOS_TASK_ID=shop_web.1
MINE=1
PORT=31005
PORT0=31005
PORT1=mine too
PORTS=31005,31009
PORT_10007=31005
PORT_HTTP_API=31005`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("the environment is\n%s\nwanted\n%s", text, want)
	}
}

func TestCommand(t *testing.T) {
	c := Task(run(parse(t, `{"id": "/a", "cmd": "serve $PORT0", "user": "web", "fetch": [{"uri": "http://x/y.tgz", "extract": false, "executable": true, "destPath": "z"}]}`))).Command
	if !*c.Shell || c.Value != "serve $PORT0" || c.User != "web" || len(c.Arguments) != 0 {
		t.Errorf("cmd: %+v", c)
	}
	if u := c.URIs[0]; u.Value != "http://x/y.tgz" || *u.Extract || !u.Executable || u.OutputFile != "z" {
		t.Errorf("fetch: %+v", u)
	}
	c = Task(run(parse(t, `{"id": "/a", "args": ["/bin/serve", "-v"]}`))).Command
	if *c.Shell || c.Value != "/bin/serve" || fmt.Sprint(c.Arguments) != "[/bin/serve -v]" {
		t.Errorf("args: %+v", c)
	}
}

func TestTheRestOfTheTask(t *testing.T) {
	a := parse(t, `{"id": "/shop/web", "cmd": "serve", "labels": {"PROFFER_FRAMEWORK": "shop", "a": "b"}, "resourceLimits": {"cpus": 2, "mem": "unlimited"},
		"portDefinitions": [{"port": 0, "name": "http", "labels": {"VIP": "1"}}, {"port": 0, "protocol": "udp"}]}`)
	task := Task(run(a, 31005, 31009))
	if task.Name != "shop_web" || task.TaskID != "shop_web.1" || task.AgentID != "a1" || len(task.Resources) != 1 {
		t.Errorf("task: %+v", task)
	}
	if got := fmt.Sprint(task.Labels.Labels); got != "[{MARATHON_INSTANCE_INDEX 2} {PROFFER_FRAMEWORK shop} {a b}]" {
		t.Errorf("labels: %s", got)
	}
	if task.Limits["cpus"].Value != 2 || !math.IsInf(task.Limits["mem"].Value, 1) {
		t.Errorf("limits: %v", task.Limits)
	}
	if got := time.Duration(task.KillPolicy.GracePeriod.Nanoseconds); got != 3*time.Second {
		t.Errorf("grace: %v, Marathon's is 3s", got)
	}
	d := task.Discovery
	if d.Name != "shop_web" || len(d.Ports.Ports) != 2 || d.Ports.Ports[0].Number != 31005 || d.Ports.Ports[0].Labels.Labels[0].Key != "VIP" || d.Ports.Ports[1].Protocol != "udp" {
		t.Errorf("discovery: %+v", d)
	}
	if task = Task(run(parse(t, `{"id": "/a", "cmd": "x", "taskKillGracePeriodSeconds": 9}`))); task.KillPolicy.GracePeriod.Nanoseconds != 9e9 {
		t.Errorf("grace: %+v", task.KillPolicy.GracePeriod)
	}
	if task.Limits != nil || task.HealthCheck != nil || len(task.Labels.Labels) != 1 {
		t.Errorf("what was not asked for: %+v", task)
	}
}

// TestChecks: the spelling decides who ends a failing instance; where no delay is
// given the first regular probe is one interval after the start.
func TestChecks(t *testing.T) {
	ports := `"portDefinitions": [{"port": 0}, {"port": 0}]`
	for _, c := range []struct{ check, want string }{
		{`{"protocol": "HTTP", "path": "/h", "portIndex": 1, "maxConsecutiveFailures": 0, "intervalSeconds": 7, "timeoutSeconds": 3, "gracePeriodSeconds": 4}`,
			"HTTP http://:31009/h IPv4 delay 7 interval 7 timeout 3 grace 4 failures 0 reports only"},
		{`{"protocol": "MESOS_HTTPS", "path": "/", "delaySeconds": 2, "ipProtocol": "IPv6"}`,
			"HTTP https://:31005/ IPv6 delay 2 interval 60 timeout 20 grace 300 failures 3"},
		{`{"protocol": "TCP", "port": 99}`, "TCP 99 delay 60 interval 60 timeout 20 grace 300 failures 3 reports only"},
		{`{"protocol": "MESOS_TCP", "maxConsecutiveFailures": 1}`, "TCP 31005 delay 60 interval 60 timeout 20 grace 300 failures 1"},
		{`{"protocol": "COMMAND", "command": {"value": "curl x"}}`, "COMMAND curl x delay 60 interval 60 timeout 20 grace 300 failures 3"},
	} {
		task := Task(run(parse(t, `{"id": "/a", "cmd": "x", `+ports+`, "healthChecks": [`+c.check+`]}`), 31005, 31009))
		if task.HealthCheck == nil || task.HealthChecks != nil {
			t.Fatalf("one check is Mesos's field: %+v", task)
		}
		if got := describe(task.HealthCheck); got != c.want {
			t.Errorf("%s\n%s, wanted\n%s", c.check, got, c.want)
		}
	}
	task := Task(run(parse(t, `{"id": "/a", "cmd": "x", `+ports+`, "healthChecks": [{"protocol": "HTTP"}, {"protocol": "TCP"}]}`), 31005, 31009))
	if task.HealthCheck != nil || len(task.HealthChecks) != 2 {
		t.Errorf("two checks: %+v", task)
	}
}

func describe(h *sdk.HealthCheck) string {
	s := string(h.Type)
	switch {
	case h.HTTP != nil:
		s += fmt.Sprintf(" %s://:%d%s %s", h.HTTP.Scheme, h.HTTP.Port, h.HTTP.Path, h.HTTP.Protocol)
	case h.TCP != nil:
		s += fmt.Sprintf(" %d", h.TCP.Port)
	case h.Command != nil:
		s += " " + h.Command.Value
	}
	s += fmt.Sprintf(" delay %g interval %g timeout %g grace %g failures %d", *h.DelaySeconds, *h.IntervalSeconds, *h.TimeoutSeconds, *h.GracePeriodSeconds, *h.ConsecutiveFailures)
	if h.ReportOnly {
		s += " reports only"
	}
	return s
}
