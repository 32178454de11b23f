package e2e

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// chronos makes one call to a cluster's chronosish, through the gateway; the status of
// an answer that never came is 0.
func (c *cluster) chronos(method, path, body string) (status int, answer string) {
	c.t.Helper()
	req, err := http.NewRequest(method, "http://"+c.addr()+"/service/chronosish/v1/scheduler"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.SetBasicAuth("user", c.token())
	resp, err := c.web(10 * time.Second).Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}

// slots are the slots that runs of a job wrote to a file of the truth, one a line.
func (c *cluster) slots(name string) []string {
	return strings.Fields(read(c.t, filepath.Join(c.truth, name)))
}

// TestJobs: the kernel starts init, init marathonish, and that chronosish, which comes
// back in a cluster that services fill. A job every second runs five times, each slot
// once, although chronosish is killed meanwhile, and its child after each.
func TestJobs(t *testing.T) {
	c := startCluster(t, append(booted(), "--resources", "cpus:2;mem:2048;disk:4096;ports:[0-99]")...)
	up := func() bool {
		status, _ := c.chronos(http.MethodGet, "/jobs", "")
		return status == http.StatusOK
	}
	eventually(t, 20*time.Second, "chronosish is up", up)
	began := time.Now()
	if r := c.try("run", "--", "true"); r.code != 0 {
		t.Errorf("run: %+v", r)
	}
	t.Logf("a run with all up took %v", time.Since(began))

	job := func(kind, name, rest string) {
		t.Helper()
		body := fmt.Sprintf(`{"name": %q, "command": "echo $CHRONOS_JOB_RUN_TIME >> %s", "cpus": 0.1, "mem": 32, "disk": 1, %s}`, name, filepath.Join(c.truth, name), rest)
		if status, text := c.chronos(http.MethodPost, kind, body); status != http.StatusNoContent {
			t.Fatalf("the job %s: %d %s", name, status, text)
		}
	}
	job("/iso8601", "every", `"schedule": "R5//PT1S", "epsilon": "PT1M"`)
	job("/dependency", "child", `"parents": ["every"]`)
	eventually(t, 10*time.Second, "the job has run twice", func() bool { return len(c.slots("every")) >= 2 })
	kill9(t, c.one(" chronosish"))
	eventually(t, 30*time.Second, "all have run", func() bool { return len(c.slots("every")) >= 5 && len(c.slots("child")) >= 5 })
	if got := c.slots("every"); len(got) != 5 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != 5 {
		t.Errorf("the slots that ran are %q", got)
	}

	c.run("job", "create", jobFile(t, "told", `{"name": "told", "command": "echo out; echo err >&2; kill -9 $$", "retries": 0}`))
	told := ""
	eventually(t, 10*time.Second, "the history has what a run wrote and how it ended", func() bool {
		_, told = askWith(t, "http://"+c.addr()+"/service/chronosish/v2/jobs/told/history?tail=3", bearer(c.token()))
		return strings.Contains(told, `"signal":9`) && strings.Contains(told, `"output":{"stdout":"ut\n","stderr":"rr\n","stdoutFrom":1,"stderrFrom":1}`)
	})

	c.largeScript()
	m := newMarathon(c)
	m.must(http.MethodPut, "/v2/apps/fill", map[string]any{"cmd": c.pidWriter("fill"), "instances": 40, "cpus": 0.1, "mem": 16, "backoffSeconds": 0, "portDefinitions": []any{}}, nil)
	eventually(t, 20*time.Second, "services fill the cluster", func() bool { return strings.Contains(c.run("service", "get", "fill"), "had too few cpus") })
	kill9(t, c.one(" chronosish"))
	eventually(t, 20*time.Second, "chronosish is back in a full cluster", up)
	if status, text := c.chronos(http.MethodGet, "/jobs", ""); !strings.Contains(text, `"successCount":5`) {
		t.Errorf("the jobs are %d %s", status, text)
	}
}

// jobFile writes a definition into a file.
func jobFile(t *testing.T, name, definition string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".json")
	if err := os.WriteFile(file, []byte(definition), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// largeScript: a script of 512 KiB, most of it random bytes that it checks itself, travels
// inside its job and runs; a byte more is refused with the file and the size.
func (c *cluster) largeScript() {
	c.t.Helper()
	const most, head = 512 << 10, 400
	payload := make([]byte, most-head)
	_, _ = rand.Read(payload)
	script := fmt.Sprintf("tail -c %d \"$0\" | sha256sum | grep -q %x && echo whole > %s; exit $?\n", len(payload), sha256.Sum256(payload), filepath.Join(c.truth, "large"))
	script += strings.Repeat("#", head-len(script)-1) + "\n" + string(payload)
	file := filepath.Join(c.t.TempDir(), "large.sh")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
	definition := jobFile(c.t, "large", `{"name": "large", "command": "exec sh large.sh", "retries": 0}`)
	write(script + "x")
	if r := c.try("job", "create", "--file", file, definition); r.code != 2 || !strings.Contains(r.talk, "524289 bytes with "+file) {
		c.t.Errorf("a byte too much: %+v", r)
	}
	write(script)
	c.run("job", "create", "--file", file, definition)
	eventually(c.t, 20*time.Second, "the large script has run", func() bool { return read(c.t, filepath.Join(c.truth, "large")) == "whole\n" })
	c.run("job", "disable", "large")
	c.run("job", "destroy", "--yes", "large")
}
