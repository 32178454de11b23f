package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// goJob has the fields and types by which the Go clients of both generations read a job.
type goJob struct {
	Name                   string              `json:"name"`
	Command                string              `json:"command"`
	Shell                  bool                `json:"shell,omitempty"`
	Epsilon                string              `json:"epsilon,omitempty"`
	Executor               string              `json:"executor,omitempty"`
	ExecutorFlags          string              `json:"executorFlags,omitempty"`
	Retries                int                 `json:"retries,omitempty"`
	Owner                  string              `json:"owner,omitempty"`
	OwnerName              string              `json:"ownerName,omitempty"`
	Description            string              `json:"description,omitempty"`
	Async                  bool                `json:"async,omitempty"`
	SuccessCount           int                 `json:"successCount,omitempty"`
	ErrorCount             int                 `json:"errorCount,omitempty"`
	LastSuccess            string              `json:"lastSuccess,omitempty"`
	LastError              string              `json:"lastError,omitempty"`
	CPUs                   float32             `json:"cpus,omitempty"`
	Disk                   float32             `json:"disk,omitempty"`
	Mem                    float32             `json:"mem,omitempty"`
	Disabled               bool                `json:"disabled,omitempty"`
	SoftError              bool                `json:"softError,omitempty"`
	DataProcessingJobType  bool                `json:"dataProcessingJobType,omitempty"`
	ErrorsSinceLastSuccess int                 `json:"errorsSinceLastSuccess,omitempty"`
	URIs                   []string            `json:"uris,omitempty"`
	Fetch                  []map[string]any    `json:"fetch,omitempty"`
	EnvironmentVariables   []map[string]string `json:"environmentVariables,omitempty"`
	Arguments              []string            `json:"arguments,omitempty"`
	HighPriority           bool                `json:"highPriority,omitempty"`
	Concurrent             bool                `json:"concurrent,omitempty"`
	MaxCompletionTime      int                 `json:"maxCompletionTime,omitempty"`
	RunAsUser              string              `json:"runAsUser,omitempty"`
	Container              *struct{}           `json:"container,omitempty"`
	Schedule               string              `json:"schedule,omitempty"`
	ScheduleTimeZone       string              `json:"scheduleTimeZone,omitempty"`
	Constraints            [][]string          `json:"constraints,omitempty"`
	Parents                []string            `json:"parents,omitempty"`
}

// goClient asks as those clients do: whatever has a length is decoded, and a change is
// done when the answer is 204.
type goClient struct {
	t      *testing.T
	server string
	prefix string
}

func (c *goClient) ask(method, path string, body, into any) {
	c.t.Helper()
	var text strings.Builder
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			c.t.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, c.server+"/"+c.prefix+path, strings.NewReader(text.String()))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.ContentLength != 0 {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			c.t.Errorf("%s %s: %d, %v", method, path, resp.StatusCode, err)
		}
	}
	if want := map[bool]int{true: http.StatusNoContent, false: http.StatusOK}[into == nil]; resp.StatusCode != want {
		c.t.Errorf("%s %s: %d", method, path, resp.StatusCode)
	}
}

// TestGoClients: what the Go clients of both generations do, by their requests' shapes.
func TestGoClients(t *testing.T) {
	for _, prefix := range []string{"v1/scheduler/", "scheduler/"} {
		s := httptest.NewServer(newFake().handler(true))
		c := &goClient{t, s.URL, prefix}
		var jobs []goJob
		c.ask("GET", "jobs", nil, &jobs)
		once := goJob{Name: "once", Command: "date", Schedule: "R1//PT2M", Epsilon: "PT10M", Owner: "a@b", RunAsUser: "nobody"}
		c.ask("POST", "iso8601", once, nil)
		once.Schedule = "R0//PT0M" // which is how one client takes a schedule away
		c.ask("POST", "iso8601", once, nil)
		c.ask("PUT", "job/once", nil, nil)
		c.ask("PUT", "job/once?arguments=-v", nil, nil)
		c.ask("POST", "dependency", goJob{Name: "after", Command: "date", Parents: []string{"once"}}, nil)
		c.ask("GET", "jobs", nil, &jobs)
		if len(jobs) != 2 || jobs[0].Name != "after" || jobs[1].Epsilon != "PT10M" || !regexp.MustCompile(`^R0/\d{4}-..-..T..:..:..\.\d{3}Z/PT0S$`).MatchString(jobs[1].Schedule) {
			t.Errorf("%+v", jobs)
		}
		for _, j := range jobs { // what was read is what may be sent
			c.ask("POST", map[bool]string{true: "dependency", false: "iso8601"}[len(j.Parents) > 0], j, nil)
		}
		c.ask("GET", "jobs/search?name=once&any=date&limit=5", nil, &jobs)
		if len(jobs) != 1 {
			t.Errorf("%+v", jobs)
		}
		var marked string
		c.ask("PUT", "job/success/once", nil, &marked)
		if !strings.HasSuffix(marked, "true") {
			t.Error(marked)
		}
		c.ask("DELETE", "task/kill/once", nil, nil)
		c.ask("DELETE", "job/task/kill/once", nil, nil)
		var leader struct{ Leader string }
		if c.ask("GET", "leader", nil, &leader); leader.Leader == "" {
			t.Error("there is no leader")
		}
		c.ask("DELETE", "job/after", nil, nil)
		c.ask("DELETE", "job/once", nil, nil)
		s.Close()
	}
}
