package load

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestHealthy(t *testing.T) {
	got, err := Healthy([]byte(`{"tasks":[
		{"host":"a","ports":[1,2],"state":"TASK_RUNNING","healthCheckResults":[{"alive":true}]},
		{"host":"b","ports":[1],"state":"TASK_KILLING","healthCheckResults":[{"alive":true}]},
		{"host":"c","ports":[1],"state":"TASK_RUNNING","healthCheckResults":[{"alive":true},{"alive":false}]},
		{"host":"d","ports":[1],"state":"TASK_RUNNING","healthCheckResults":[]},
		{"host":"e","ports":[],"state":"TASK_RUNNING","healthCheckResults":[{"alive":true}]}]}`))
	if d := cmp.Diff([]string{"a:1"}, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if _, err := Healthy([]byte("no")); err == nil {
		t.Error("what is no list was read")
	}
}

// service is two instances and the list of them, from which one may be left out.
func service(t *testing.T, handler http.Handler) (tasks string, drop *atomic.Bool, second *httptest.Server) {
	t.Helper()
	drop = &atomic.Bool{}
	first := httptest.NewServer(handler)
	t.Cleanup(first.Close)
	second = httptest.NewServer(handler)
	t.Cleanup(second.Close)
	list := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		var parts []string
		for _, s := range []*httptest.Server{first, second} {
			if s == second && drop.Load() {
				continue
			}
			host, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
			parts = append(parts, fmt.Sprintf(`{"host":%q,"ports":[%s],"state":"TASK_RUNNING","healthCheckResults":[{"alive":true}]}`, host, port))
		}
		fmt.Fprintf(w, `{"tasks":[%s]}`, strings.Join(parts, ","))
	}))
	t.Cleanup(list.Close)
	return list.URL, drop, second
}

// TestAnInstanceThatIsDroppedFirstIsNotMissed: who leaves the list before it ends costs no
// request; who ends while it stands in the list costs some.
func TestAnInstanceThatIsDroppedFirstIsNotMissed(t *testing.T) {
	for _, announced := range []bool{true, false} {
		var asked atomic.Int64
		tasks, drop, second := service(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); fmt.Fprint(w, "0") }))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan Result, 1)
		go func() {
			r, err := Run(ctx, Options{Tasks: tasks, Token: "secret", Every: 20 * time.Millisecond, Pause: time.Millisecond})
			if err != nil {
				t.Error(err)
			}
			done <- r
		}()
		reach := func(n int64) {
			for late := time.After(30 * time.Second); asked.Load() < n; {
				select {
				case <-time.After(time.Millisecond):
				case <-late:
					t.Fatalf("%d requests came, %d were waited for", asked.Load(), n)
				}
			}
		}
		reach(50)
		drop.Store(announced)
		reach(asked.Load() + 500) // many more than within one look at the list
		second.Close()
		reach(asked.Load() + 50)
		stop()
		r := <-done
		if announced != (r.Failed == 0) || r.Requests < 100 || announced && r.Indexes["0"] != r.Requests {
			t.Errorf("announced: %t: %+v", announced, r)
		}
	}
}

func TestWhoMayNotSeeTheInstancesFails(t *testing.T) {
	tasks, _, _ := service(t, http.NotFoundHandler())
	if _, err := Run(t.Context(), Options{Tasks: tasks, Token: "wrong"}); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("err = %v", err)
	}
}

// TestRefusalsAreFailures: an answer that is not 200 counts.
func TestRefusalsAreFailures(t *testing.T) {
	tasks, _, _ := service(t, http.NotFoundHandler())
	ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	r, err := Run(ctx, Options{Tasks: tasks, Token: "secret"})
	if err != nil || r.Requests == 0 || r.Failed != r.Requests || r.First == nil {
		t.Errorf("%+v, %v", r, err)
	}
}
