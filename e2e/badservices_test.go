package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// badApps breaks each rule of a served field once, through the gateway: 422 with the path,
// and nothing of it is there afterwards.
func badApps(t *testing.T, m *marathon) {
	check := func(fields string) string { return `"healthChecks":[{` + fields + `}]` }
	for _, row := range []struct{ fields, path string }{
		{`"id":"/Bad"`, "/id"},
		{`"id":"/bad/tasks"`, "/id"},
		{`"cmd":null`, "/"},
		{`"args":["sleep"]`, "/"},
		{`"instances":-1`, "/instances"},
		{`"instances":2,"labels":{"MARATHON_SINGLE_INSTANCE_APP":"true"}`, "/instances"},
		{`"cpus":0`, "/cpus"},
		{`"mem":-1`, "/mem"},
		{`"disk":-1`, "/disk"},
		{`"env":{"A":{"secret":"s"}}`, "/env/A"},
		{`"labels":{"PROFFER_DRAIN_SECONDS":"soon"}`, "/labels/PROFFER_DRAIN_SECONDS"},
		{`"constraints":[["hostname","UNIQUE"],["hostname","BESIDE"]]`, "/constraints(1)"},
		{`"constraints":[["rack","MAX_PER","two"]]`, "/constraints(0)"},
		{`"constraints":[["rack","LIKE","("]]`, "/constraints(0)"},
		{`"acceptedResourceRoles":[]`, "/acceptedResourceRoles"},
		{`"role":"nobody's"`, "/role"},
		{`"backoffSeconds":-1`, "/backoffSeconds"},
		{`"backoffFactor":0.5`, "/backoffFactor"},
		{`"maxLaunchDelaySeconds":-1`, "/maxLaunchDelaySeconds"},
		{`"fetch":[{"uri":""}]`, "/fetch(0)/uri"},
		{`"fetch":[{"uri":"http://h/` + strings.Repeat("x", 1024) + `"}]`, "/fetch(0)/uri"},
		{`"uris":["http://h/x"],"fetch":[{"uri":"http://h/x"}]`, "/uris"},
		{`"ports":[0],"portDefinitions":[{"port":0}]`, "/ports"},
		{`"portDefinitions":[{"name":"a"},{"name":"a"}]`, "/portDefinitions(1)/name"},
		{`"portDefinitions":[{"port":80},{"port":80}]`, "/portDefinitions(1)/port"},
		{`"resourceLimits":{"cpus":0.01}`, "/resourceLimits/cpus"},
		{`"taskKillGracePeriodSeconds":-1`, "/taskKillGracePeriodSeconds"},
		{`"upgradeStrategy":{"minimumHealthCapacity":2}`, "/upgradeStrategy/minimumHealthCapacity"},
		{`"upgradeStrategy":{"maximumOverCapacity":-1}`, "/upgradeStrategy/maximumOverCapacity"},
		{`"unreachableStrategy":{"inactiveAfterSeconds":2,"expungeAfterSeconds":1}`, "/unreachableStrategy"},
		{`"killSelection":"KINDEST_FIRST"`, "/killSelection"},
		{check(`"protocol":"ICMP"`), "/healthChecks(0)/protocol"},
		{check(`"protocol":"COMMAND"`), "/healthChecks(0)/command"},
		{check(`"portIndex":3`), "/healthChecks(0)/portIndex"},
		{`"healthChecks":[{"protocol":"MESOS_TCP"},{"protocol":"MESOS_HTTP"}]`, "/healthChecks"},
		{`"container":{"type":"DOCKER","docker":{"image":"x"}}`, "/container"},
		{`"dependencies":["/db"]`, "/dependencies"},
		{`"secrets":{"a":{"source":"b"}}`, "/secrets"},
		{`"colour":"red"`, "/colour"},
	} {
		body := `{"id":"/bad","cmd":"sleep 1000","cpus":0.1,` + row.fields + `}`
		for method, path := range map[string]string{http.MethodPost: "/v2/apps", http.MethodPut: "/v2/apps/bad"} {
			if method == http.MethodPut && strings.HasPrefix(row.fields, `"id"`) {
				continue // the address says it
			}
			status, text := m.do(method, path, body)
			var said refusedApp
			if err := json.Unmarshal([]byte(text), &said); err != nil || status != 422 || said.Message == "" || len(said.Details) != 1 || said.Details[0].Path != row.path || len(said.Details[0].Errors) != 1 {
				t.Errorf("%s of %s: %d %s, not 422 at %s", method, row.fields, status, text, row.path)
			}
		}
	}
	pid := m.c.marathonishPID()
	for _, body := range []string{"", "{", `{"id":"/bad",}`, "id: /bad", "\x00", strings.Repeat("[", 1<<20), strings.Repeat(`{"env":`, 1<<17)} {
		if status, text := m.do(http.MethodPost, "/v2/apps", body); status != 400 || !strings.Contains(text, `"message":"Invalid JSON"`) {
			t.Errorf("%.50q: %d %s", body, status, text)
		}
	}
	// What is sound but more than the store takes: each is refused with its size and the limit.
	large := func(name string, bytes int) string {
		return `{"id":"/bad-` + name + `","cmd":"sleep 1000","instances":0,"env":{"A":"` + strings.Repeat("x", bytes) + `"}}`
	}
	many := make([]string, 2000)
	for i := range many {
		many[i] = large(strconv.Itoa(i), 1)
	}
	for _, row := range []struct{ method, body, limit string }{
		{http.MethodPost, large("value", 600<<10), "524288"},
		{http.MethodPut, "[" + large("a", 400<<10) + "," + large("b", 400<<10) + "," + large("c", 400<<10) + "]", "1048576"},
		{http.MethodPut, "[" + strings.Join(many, ",") + "]", "limit"},
	} {
		if status, text := m.do(row.method, "/v2/apps", row.body); status != http.StatusInsufficientStorage && status != http.StatusRequestEntityTooLarge || !strings.Contains(text, row.limit) {
			t.Errorf("%d bytes by %s: %d %s, without the limit %s", len(row.body), row.method, status, text, row.limit)
		}
	}
	if status, text := m.do(http.MethodPost, "/v2/apps", large("body", 9<<20)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of 9 MiB: %d %s", status, text)
	}
	if !alive(pid) {
		t.Error("marathonish has died of what it was sent")
	}
	if status, text := m.do(http.MethodGet, "/v2/apps", nil); status != 200 || strings.Contains(text, "/bad") {
		t.Errorf("what was refused is there: %d %s", status, text)
	}
}

// refusedApp is the answer to a change that is not made.
type refusedApp struct {
	Message string `json:"message"`
	Details []struct {
		Path   string   `json:"path"`
		Errors []string `json:"errors"`
	} `json:"details"`
	Deployments *[]struct {
		ID string `json:"id"`
	} `json:"deployments"`
}

// twoWriters: who is late gets 409, without `deployments` where the app is there already and
// with them where it is locked.
func twoWriters(t *testing.T, m *marathon) {
	app := map[string]any{"id": "/twice", "cmd": "sleep 1000", "cpus": 100, "mem": 16}
	race := func(method, path string, good int, shape func(r refusedApp) bool) {
		t.Helper()
		var g sync.WaitGroup
		status, text := make([]int, 8), make([]string, 8)
		for i := range status {
			g.Go(func() { status[i], text[i] = m.do(method, path, app) })
		}
		g.Wait()
		won := 0
		for i := range status {
			var said refusedApp
			switch err := json.Unmarshal([]byte(text[i]), &said); {
			case status[i] == good:
				won++
			case err != nil || status[i] != http.StatusConflict || said.Message == "" || !shape(said):
				t.Errorf("%s by eight at once: %d %s", method, status[i], text[i])
			}
		}
		if won != 1 {
			t.Errorf("%s by eight at once: %d of them won", method, won)
		}
	}
	race(http.MethodPost, "/v2/apps", http.StatusCreated, func(r refusedApp) bool { return r.Deployments == nil && strings.Contains(r.Message, "[/twice]") })
	app["cpus"] = 101
	status, text := m.do(http.MethodPut, "/v2/apps/twice", app)
	var said refusedApp
	if err := json.Unmarshal([]byte(text), &said); err != nil || status != http.StatusConflict || said.Deployments == nil || len(*said.Deployments) != 1 || !strings.Contains(said.Message, "locked") {
		t.Errorf("a change of what a deployment is changing: %d %s", status, text)
	}
	m.must(http.MethodPut, "/v2/apps/twice?force=true", app, nil)
	m.must(http.MethodDelete, "/v2/apps/twice?force=true", nil, nil)
	app["instances"] = 0
	m.must(http.MethodPost, "/v2/apps", app, nil)
	eventually(t, 10*time.Second, "an app of no instances is deployed", func() bool { return len(m.app("/twice").App.Deployments) == 0 })
	app["instances"] = 1
	race(http.MethodPut, "/v2/apps/twice", http.StatusOK, func(r refusedApp) bool { return r.Deployments != nil && len(*r.Deployments) == 1 })
	m.must(http.MethodDelete, "/v2/apps/twice?force=true", nil, nil)
}

// badDeploys: an app that no agent can hold is taken, and the client says why it waits; a
// file that is bad ends `service deploy` with the code for it.
func badDeploys(t *testing.T, m *marathon) {
	c, dir := m.c, t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	large := file("large.yaml", "id: /large\ncmd: sleep 1000\ncpus: 64\nmem: 16\n")
	for _, row := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"deploy", filepath.Join(dir, "none.json")}, 2, "none.json"},
		{[]string{"deploy", file("half.json", `{"id": "/half", "cmd": `)}, 2, "half.json"},
		{[]string{"deploy", file("group.json", `{"id": "/g", "apps": []}`)}, 2, "group"},
		{[]string{"deploy", file("nameless.yaml", "cmd: sleep 1\n")}, 2, "id"},
		{[]string{"deploy", file("bad.yaml", "id: /bad\ncmd: sleep 1\nmem: -1\n")}, 1, "/mem"},
		{[]string{"deploy", file("docker.yaml", "id: /bad\ncontainer: {type: DOCKER, docker: {image: x}}\n")}, 1, "/container"},
		{[]string{"deploy", "--timeout", "1s", large}, 7, "too few cpus"},
		{[]string{"deploy", large}, 5, "locked"},
		{[]string{"get", "none"}, 3, "/none"},
		{[]string{"--token", "nonsense", "list"}, 4, ""},
	} {
		if r := c.try(append([]string{"service"}, row.args...)...); r.code != row.code || !strings.Contains(r.talk, row.says) {
			t.Errorf("service %v: code %d, not %d; it said %q, without %q", row.args, r.code, row.code, r.out+r.talk, row.says)
		}
	}
	if said := c.run("service", "get", "large"); !strings.Contains(said, "why") || !strings.Contains(said, "too few cpus") {
		t.Errorf("service get of what no agent can hold: %s", said)
	}
	if said := c.run("service", "list"); !strings.Contains(said, "large") {
		t.Errorf("service list: %s", said)
	}
	c.run("service", "destroy", "--yes", "large")
}
