package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// booted are the arguments of a cluster that starts marathonish, as any other does.
func booted() []string { return []string{"--boot", "", "--system-headroom", "cpus:0.2;mem:192"} }

// marathon speaks Marathon's REST to a cluster's marathonish, through the gateway.
type marathon struct {
	c    *cluster
	http *http.Client
}

func newMarathon(c *cluster) *marathon {
	return &marathon{c: c, http: c.web(10 * time.Second)}
}

// do makes one call and reads its answer; the status of an answer that never came is 0.
func (m *marathon) do(method, path string, body any) (status int, answer string) {
	m.c.t.Helper()
	var data []byte
	switch b := body.(type) {
	case nil:
	case string:
		data = []byte(b)
	default:
		var err error
		if data, err = json.Marshal(b); err != nil {
			m.c.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(method, "http://"+m.c.addr()+"/service/marathonish"+path, bytes.NewReader(data))
	if err != nil {
		m.c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+m.c.token())
	req.Header.Set("Content-Type", "application/json")
	resp, err := m.http.Do(req)
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

// must is do for a call that has to succeed, within a bound: masters and marathonish are
// killed in these stories, and what they do not answer is asked again.
func (m *marathon) must(method, path string, body, answer any) {
	m.c.t.Helper()
	var last string
	eventually(m.c.t, 30*time.Second, method+" "+path+" is answered", func() bool {
		status, text := m.do(method, path, body)
		last = fmt.Sprintf("%d %s", status, text)
		switch {
		case status == 0 || status >= 500:
			return false
		case status >= 300:
			m.c.t.Fatalf("%s %s: %s", method, path, last)
		}
		if answer != nil {
			if err := json.Unmarshal([]byte(text), answer); err != nil {
				m.c.t.Fatalf("%s %s: %v: %s", method, path, err, text)
			}
		}
		return true
	})
}

func (m *marathon) await() {
	m.c.t.Helper()
	m.must(http.MethodGet, "/v2/info", nil, nil)
}

// appState is an app as the stories look at it.
type appState struct {
	App struct {
		Instances   int                 `json:"instances"`
		Running     int                 `json:"tasksRunning"`
		Staged      int                 `json:"tasksStaged"`
		Healthy     int                 `json:"tasksHealthy"`
		Deployments []map[string]string `json:"deployments"`
		Tasks       []struct {
			ID    string `json:"id"`
			Host  string `json:"host"`
			Ports []int  `json:"ports"`
			State string `json:"state"`
		} `json:"tasks"`
	} `json:"app"`
}

func (m *marathon) app(id string) (a appState) {
	m.c.t.Helper()
	m.must(http.MethodGet, "/v2/apps"+id, nil, &a)
	return a
}

// webOnce builds the example web service once for all stories.
var webOnce = sync.OnceValues(func() (string, error) { //nolint:gochecknoglobals // as TestMain's binaries
	out := filepath.Join(binaries, "web")
	cmd := exec.Command("go", "build", "-trimpath", "-o", out, ".")
	cmd.Dir = "../configs/examples/apps/web" // a module of its own
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the example web service: %w: %s", err, text)
	}
	return out, nil
})

func webService(t *testing.T) string {
	t.Helper()
	path, err := webOnce()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// webCommand makes an instance write who it is, and then become the web service.
func webCommand(t *testing.T, truth string) string {
	return strings.Join([]string{`echo "$$ $MARATHON_INSTANCE_INDEX $GENERATION $HOST:$PORT0" >> ` + truth, "exec " + webService(t)}, "; ")
}
