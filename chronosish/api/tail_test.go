package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
)

// TestTails: the history has the end of what the newest runs wrote, and says of each why
// there is none.
func TestTails(t *testing.T) {
	f := newFake()
	st := book.Status{Job: &job.Job{Name: "a", Schedule: "R/2026-01-01T12:00:00Z/PT1H", Created: f.now}}
	st.Runs = []book.Run{
		{Job: "a", TaskID: "older", AgentID: "a1", State: sdk.TaskRunning, Started: f.now}, {Job: "a", TaskID: "newer", AgentID: "a1", State: sdk.TaskRunning, Started: f.now},
		{Job: "a", TaskID: "staging", AgentID: "a1", State: sdk.TaskStaging}, {Job: "a"},
	}
	f.jobs["a"] = st
	for _, id := range []sdk.TaskID{"", "gone", "slow", "broken", "never", "binary", "p6", "p7", "p8", "p9", "p10", "p11"} {
		r := book.Record{Job: "a", TaskID: id, AgentID: "a1", Started: f.now, Outcome: "FAILED"}
		if id == "" || id == "never" {
			r.Started = time.Time{}
		}
		f.history["a"] = append(f.history["a"], r)
	}
	f.output = func(task sdk.TaskID, stream string, bytes int) ([]byte, int64, error) {
		switch task {
		case "gone":
			return nil, 0, &sdk.Error{Code: sdk.CodeNotFound, Op: "read output", Message: "this agent keeps no output of it"}
		case "slow":
			return nil, 0, fmt.Errorf("asking: %w", context.DeadlineExceeded)
		case "broken":
			return nil, 0, fmt.Errorf("broken")
		case "binary":
			return []byte("\xff\xfeok"), 0, nil
		case "newer": // it has written more meanwhile
			return []byte(strings.Repeat("x", bytes) + "yz"), 100, nil
		}
		return fmt.Appendf(nil, "%s of %s", stream, task), 7, nil
	}
	look := func(query string) (int, string, map[string]*tail) {
		t.Helper()
		w := httptest.NewRecorder()
		f.handler(true).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v2/jobs/a/history"+query, nil))
		type row struct {
			TaskID string `json:"taskId"`
			Output *tail  `json:"output"`
		}
		var body struct {
			Runs, History []row
		}
		_ = json.Unmarshal(w.Body.Bytes(), &body)
		found := map[string]*tail{}
		for _, r := range append(body.Runs, body.History...) {
			if r.Output != nil {
				found[r.TaskID] = r.Output
			}
		}
		return w.Code, w.Body.String(), found
	}
	_, _, got := look("?tail=20")
	plain := func(task string) *tail { return &tail{"stdout of " + task, "stderr of " + task, 7, 7, ""} }
	want := map[string]*tail{
		"newer": {strings.Repeat("x", 18) + "yz", strings.Repeat("x", 18) + "yz", 102, 102, ""}, "older": plain("older"),
		"gone": {Missing: "this agent keeps no output of it"}, "slow": {Missing: "the agents did not answer in time; ask again"}, "broken": {Missing: "broken"},
		"binary": {Stdout: "�ok", Stderr: "�ok"}, "p6": plain("p6"), "p7": plain("p7"), "p8": plain("p8"), "p9": plain("p9"),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, text, got := look(""); len(got) != 0 || strings.Contains(text, "output") {
		t.Errorf("nobody asked for %s", text)
	}
	if _, _, got := look("?tail=1&limit=0"); len(got) != 2 {
		t.Errorf("of what goes on there is %v", got)
	}
	if status, text, _ := look("?tail=65537"); status != http.StatusBadRequest || !strings.Contains(text, "from 0 to 65536") {
		t.Errorf("too much: %d %s", status, text)
	}
}
