package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestTwoOfEach: marathonish and chronosish run twice, one of each leads by its lease; the
// other takes over with the state that it has followed, when the leader and its agent's
// executors are killed. Instances notice nothing, and no slot is lost or run twice.
func TestTwoOfEach(t *testing.T) {
	c := newCluster(t, "--agents", "2", "--resources", "cpus:2;mem:2048;disk:2048;ports:[0-49]", "--resources", "cpus:2;mem:2048;disk:2048;ports:[50-99]",
		"--system-headroom", "cpus:0.4;mem:384", "--boot")
	cron := map[string]any{"id": "/chronosish", "cmd": `exec "$PROFFER_BINARY" chronosish`, "instances": 2, "role": "system", "cpus": 0.1, "mem": 128,
		"backoffSeconds": 1, "maxLaunchDelaySeconds": 2, "labels": map[string]string{"PROFFER_FRAMEWORK": "chronosish", "PROFFER_DRAIN_SECONDS": "0"}}
	c.args = append(c.args, c.manifest(2, 0.1, cron))
	c.start()
	m := newMarathon(c)
	m.await()
	m.must(http.MethodPut, "/v2/apps/kept", map[string]any{"cmd": c.pidWriter("kept"), "instances": 2, "cpus": 0.1, "mem": 16, "backoffSeconds": 0, "portDefinitions": []any{}}, nil)
	jobs := func() bool { status, _ := c.chronos(http.MethodGet, "/jobs", ""); return status == http.StatusOK }
	eventually(t, 20*time.Second, "both run twice, and one of each answers", func() bool {
		return jobs() && len(c.pids(" chronosish")) >= 2 && len(c.pids(" marathonish")) >= 2 && len(c.lines("kept")) == 2
	})
	body := fmt.Sprintf(`{"name": "every", "command": "echo $CHRONOS_JOB_RUN_TIME >> %s", "cpus": 0.1, "mem": 32, "disk": 1, "epsilon": "PT1M", "schedule": "R/%s/PT1S"}`,
		filepath.Join(c.truth, "every"), time.Now().UTC().Add(time.Second).Format(time.RFC3339))
	if status, text := c.chronos(http.MethodPost, "/iso8601", body); status != http.StatusNoContent {
		t.Fatalf("the job: %d %s", status, text)
	}
	for _, kind := range []string{" chronosish", " marathonish"} {
		eventually(t, 10*time.Second, "the other"+kind+" follows", func() bool { return len(c.pids(kind)) >= 2 })
		leader := c.leads(kind)
		if leader == 0 {
			t.Fatalf("nobody knows which%s leads", kind)
		}
		kill9(t, leader)
		began := time.Now()
		eventually(t, 10*time.Second, "another"+kind+" answers", func() bool {
			now := c.leads(kind)
			return now != 0 && now != leader
		})
		t.Logf("another%s answered %v after the leader's death", kind, time.Since(began))
	}
	eventually(t, 20*time.Second, "ten slots have run", func() bool { return len(c.slots("every")) >= 10 })
	slots := c.slots("every")
	if len(slices.Compact(slices.Sorted(slices.Values(slots)))) != len(slots) {
		t.Errorf("a slot ran twice: %q", slots)
	}
	if pids := c.lines("kept"); len(pids) != 2 || !alive(pids[0]) || !alive(pids[1]) {
		t.Errorf("the instances did not go on: %v", pids)
	}
}

// leads is the process of a kind that listens where the gateway leads to; 0 when that is
// not known now.
func (c *cluster) leads(kind string) int {
	path, field := "/service/marathonish/v2/info", "http_port"
	if kind == " chronosish" {
		path, field = "/service/chronosish/v1/scheduler/leader", "leader"
	}
	told := regexp.MustCompile(`"` + field + `": ?"?(?:[0-9.]+:)?([0-9]+)`).FindStringSubmatch(c.get(path))
	if told == nil {
		return 0
	}
	for _, pid := range c.pids(kind) {
		if listens(pid, told[1]) {
			return pid
		}
	}
	return 0
}

// get is what the gateway answers; empty: nothing good.
func (c *cluster) get(path string) string {
	req, err := http.NewRequest(http.MethodGet, "http://"+c.addr()+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.SetBasicAuth("user", c.token())
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(text)
}

// listens tells whether a process listens on a TCP port.
func listens(pid int, port string) bool {
	n, err := strconv.Atoi(port)
	if err != nil {
		return false
	}
	table, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", pid))
	sockets := map[string]bool{}
	for _, line := range strings.Split(string(table), "\n") {
		f := strings.Fields(line)
		if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", n)) {
			sockets["socket:["+f[9]+"]"] = true
		}
	}
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && sockets[to] {
			return true
		}
	}
	return false
}
