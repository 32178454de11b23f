package agent

import (
	"net/http"
	"testing"
)

func TestHTTPNeedsCredentials(t *testing.T) {
	m := newMachine(t, plain)
	for _, r := range Routes() {
		req, err := http.NewRequest(r.Method, "http://"+m.agent.Addr().String()+r.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		want := http.StatusUnauthorized
		if r.Permission == "anyone" {
			want = http.StatusOK
		}
		if resp.StatusCode != want {
			t.Errorf("%s %s without a token: %d, want %d", r.Method, r.Path, resp.StatusCode, want)
		}
	}
	for _, r := range []struct{ method, path string }{{"GET", "/nothing"}, {"GET", "/api/v1/executor"}, {"POST", "/health"}, {"DELETE", "/state"}, {"GET", "/"}} {
		for _, host := range []string{"", "evil.example"} {
			req, err := http.NewRequest(r.method, "http://"+m.agent.Addr().String()+r.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = host
			want := http.StatusUnauthorized
			if host != "" {
				want = http.StatusForbidden
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s %s of host %q without a token: %d, want %d", r.method, r.path, host, resp.StatusCode, want)
			}
		}
	}
	if status, _ := m.get("/nothing"); status != http.StatusNotFound {
		t.Errorf("an unknown path with a token: %d", status)
	}
	for _, path := range []string{"/version", "/state", "/monitor/statistics", "/metrics", "/health"} {
		if status, body := m.get(path); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// TestForeignPages: a browser that was tricked brings a Host or an Origin that
// are not the agent's own.
func TestForeignPages(t *testing.T) {
	m := newMachine(t, plain)
	for _, row := range []struct {
		host, origin string
		want         int
	}{
		{"", "", 200}, {"evil.example", "", 403}, {"", "http://evil.example", 403}, {"localhost:1", "http://localhost:1", 200},
	} {
		req, err := http.NewRequest(http.MethodGet, "http://"+m.agent.Addr().String()+"/health", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = row.host
		if row.origin != "" {
			req.Header.Set("Origin", row.origin)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != row.want {
			t.Errorf("host %q origin %q: %d, want %d", row.host, row.origin, resp.StatusCode, row.want)
		}
	}
}
