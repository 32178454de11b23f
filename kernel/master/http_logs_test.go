package master

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/sdk"
)

// TestAFrameworkReadsItsOwnOutput: the master fetches it from the agent, by a token that is
// good for that task alone; another principal's framework gets nothing.
func TestAFrameworkReadsItsOwnOutput(t *testing.T) {
	r := start(t, true)
	n := newNursery(r)
	mine, token := n.launch("svc")
	_, other := n.launch("other")
	svc := r.subscribeAs(token, "svc")

	var shown credential.Claims
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var err error
		if shown, err = r.key.Verify(strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")); err != nil {
			t.Errorf("the agent is shown no token of this cluster: %v", err)
		}
		switch q := req.URL.Query(); q.Get("task_id") {
		case "done":
			w.Header().Set("Proffer-Offset", "37")
			_, _ = io.WriteString(w, q.Get("stream")+" from "+q.Get("offset"))
		case "endless":
			w.Header().Set("Proffer-Offset", "0")
			_, _ = io.WriteString(w, strings.Repeat("x", 3<<20))
		default:
			http.Error(w, "task_id: this agent has no output of it", http.StatusNotFound)
		}
	}))
	defer agent.Close()
	there := r.registerAgentAt("host2", "cpus:1;mem:64", agent.Listener.Addr().String()).id
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := r.registerAgentAt("host3", "cpus:1;mem:64", nobody.Addr().String()).id
	nobody.Close()

	ask := func(token string, f sdk.FrameworkID, a sdk.AgentID, task string, more ...string) (*http.Response, string) {
		t.Helper()
		q := url.Values{"framework_id": {string(f)}, "agent_id": {string(a)}, "task_id": {task}}
		for i := 0; i+1 < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return r.do(http.MethodGet, "/api/v1/logs?"+q.Encode(), http.Header{"Authorization": {"Bearer " + token}}, "")
	}
	resp, text := ask(token, svc, there, "done", "stream", "stderr", "offset", "-5")
	if resp.StatusCode != 200 || text != "stderr from -5" || resp.Header.Get("Proffer-Offset") != "37" {
		t.Errorf("its own: %d %q, from %s", resp.StatusCode, text, resp.Header.Get("Proffer-Offset"))
	}
	if !shown.Reads(svc, "done", there, time.Now()) {
		t.Errorf("the agent is shown %+v", shown)
	}
	if resp, text := ask(token, svc, there, "endless"); resp.StatusCode != 200 || len(text) != maxOutput {
		t.Errorf("endless output: %d, %d bytes", resp.StatusCode, len(text))
	}
	if resp, text := ask(r.operatorToken(), svc, there, "done"); resp.StatusCode != 200 || text != " from " {
		t.Errorf("an operator: %d %q", resp.StatusCode, text)
	}
	for _, c := range []struct {
		what, token string
		f           sdk.FrameworkID
		a           sdk.AgentID
		task        string
		status      int
		says        string
	}{
		{"another principal's", other, svc, there, "done", 403, "another one's framework"},
		{"the launcher's", token, n.id, there, "done", 403, "another one's framework"},
		{"nobody's", token, "none", there, "done", 404, "no framework none is known"},
		{"an agent that is gone", token, svc, "none", "done", 404, "is not in the cluster any more"},
		{"an agent that is away", token, svc, away, "done", 504, "does not answer now"},
		{"a sandbox that is gone", token, svc, there, "old", 404, "has no output of it"},
		{"no task", token, svc, there, "", 400, "task_id"},
		{"a path", token, svc, there, "a/b", 400, "task_id"},
	} {
		if resp, text := ask(c.token, c.f, c.a, c.task); resp.StatusCode != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d %q", c.what, resp.StatusCode, text)
		}
	}
	n.end(mine)
	r.await(func() bool { resp, _ := ask(token, svc, there, "done"); return resp.StatusCode == 401 }, "the end of the token with its task")
}

// subscribeAs makes a framework of a token's principal.
func (r *running) subscribeAs(token, name string) sdk.FrameworkID {
	r.t.Helper()
	body := strings.ReplaceAll(subscribeBody(), `"name":"`, `"name":"`+name+"-")
	return r.open("/api/v1/scheduler", jsonHeader("Authorization", "Bearer "+token), []byte(body)).next().Subscribed.FrameworkID
}
