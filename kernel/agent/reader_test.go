package agent

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
)

// TestReadersReadTheirTask: the token that a master makes for one task's output opens that
// and nothing else, for a moment; a framework's own token opens nothing.
func TestReadersReadTheirTask(t *testing.T) {
	m := newMachine(t, plain)
	m.leader.run(shell("t1", "echo hello", "cpus:0.1;mem:64"))
	m.leader.state("t1", sdk.TaskFinished)
	if got := m.output("t1"); got != "hello\n" {
		t.Fatalf("the task wrote %q", got)
	}
	key, err := credential.ReadKeyFile(m.o.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	own := credential.Claims{Kind: credential.KindReader, FrameworkID: "f1", TaskID: "t1", AgentID: *m.agent.agentID.Load(), Issued: time.Now().Unix()}
	ask := func(path string, change func(*credential.Claims)) (int, string) {
		t.Helper()
		c := own
		if change != nil {
			change(&c)
		}
		req, err := http.NewRequest(http.MethodGet, "http://"+m.agent.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key.Sign(c))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	const mine = "/api/v1/logs?framework_id=f1&task_id=t1"
	if status, text := ask(mine+"&offset=-3", nil); status != http.StatusOK || text != "lo\n" {
		t.Errorf("its task: %d %q", status, text)
	}
	for what, change := range map[string]func(*credential.Claims){
		"another task": func(c *credential.Claims) { c.TaskID = "t2" }, "another framework": func(c *credential.Claims) { c.FrameworkID = "f2" },
		"another agent": func(c *credential.Claims) { c.AgentID = "elsewhere" }, "long ago": func(c *credential.Claims) { c.Issued -= 3600 },
		"a framework": func(c *credential.Claims) { c.Kind = credential.KindFramework }, "an executor": func(c *credential.Claims) { c.Kind = credential.KindExecutor },
	} {
		if status, text := ask(mine, change); status != http.StatusForbidden {
			t.Errorf("a token of %s: %d %q", what, status, text)
		}
	}
	for _, r := range Routes() {
		if r.Path == "/api/v1/logs" || r.Method != http.MethodGet || r.Permission == "anyone" {
			continue
		}
		if status, text := ask(r.Path+"?"+strings.TrimPrefix(mine, "/api/v1/logs?"), nil); status != http.StatusForbidden {
			t.Errorf("%s: %d %q", r.Path, status, text)
		}
	}
}
