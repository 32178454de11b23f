package operator_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/profferhq/proffer/sdk/operator"
)

// TestTheFirstMasterIsStopped: it takes connections and says nothing. A client that knows
// no leader yet reads at another one, and writes at the one that leads.
func TestTheFirstMasterIsStopped(t *testing.T) {
	stopped, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stopped.Close() })
	for name, do := range map[string]func(c *operator.Client) error{
		"a read":  func(c *operator.Client) error { _, err := c.State(t.Context()); return err },
		"a write": func(c *operator.Client) error { return c.Kill(t.Context(), "f1", "t1", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			leads := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/redirect" {
					w.Header().Set("Location", "//"+r.Host)
					w.WriteHeader(http.StatusTemporaryRedirect)
					return
				}
				c.ServeHTTP(w, r)
			}))
			t.Cleanup(leads.Close)
			o := operator.DefaultOptions()
			o.Addrs, o.Token = []string{stopped.Addr().String(), leads.Listener.Addr().String()}, "secret"
			client, err := operator.New(o)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if err := do(client); err != nil || len(c.received) != 1 {
				t.Errorf("%v; the master that lives got %d calls", err, len(c.received))
			}
		})
	}
}
