package api

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/fleet"
)

// crowd is a backend with so many apps of three instances each.
func crowd(apps int) *fake {
	f := newFake()
	for n := range apps {
		a, err := app.Parse(fmt.Appendf(nil, `{"id":"/team-%d/app-%d","cmd":"run","env":{"A":"1","B":"2"},"labels":{"x":"y"},"healthChecks":[{}],"instances":3}`, n%10, n))
		if err != nil {
			panic(err)
		}
		if _, err := f.Change(context.Background(), fleet.Change{Kind: fleet.Create, Apps: []*app.App{a}}); err != nil {
			panic(err)
		}
		f.run(a.ID, 3)
	}
	return f
}

// TestThousandAppsAreListedFast: with tasks, statistics and a selector, well below a
// second even where the tests of other packages run beside.
func TestThousandAppsAreListedFast(t *testing.T) {
	f := crowd(1000)
	best := time.Hour
	for range 3 {
		w := httptest.NewRecorder()
		start := time.Now()
		f.handler(true).ServeHTTP(w, httptest.NewRequest("GET", "/v2/apps?embed=apps.tasks&embed=apps.taskStats&label=x==y", nil))
		best = min(best, time.Since(start))
		if w.Code != 200 || w.Body.Len() < 1_000_000 {
			t.Fatalf("%d, %d bytes", w.Code, w.Body.Len())
		}
	}
	t.Logf("1,000 apps with 3,000 tasks in %v", best)
	if best > time.Second {
		t.Errorf("1,000 apps with their tasks take %v", best)
	}
}

func BenchmarkListThousandApps(b *testing.B) {
	f := crowd(1000)
	h := f.handler(true)
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v2/apps?embed=apps.tasks", nil))
	}
}
