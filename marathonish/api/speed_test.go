package api

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"

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

// TestThousandAppsAreListed: with tasks, statistics and a selector. How long it takes is the
// benchmark's to say.
func TestThousandAppsAreListed(t *testing.T) {
	w := httptest.NewRecorder()
	crowd(1000).handler(true).ServeHTTP(w, httptest.NewRequest("GET", "/v2/apps?embed=apps.tasks&embed=apps.taskStats&label=x==y", nil))
	if w.Code != 200 || w.Body.Len() < 1_000_000 {
		t.Fatalf("%d, %d bytes", w.Code, w.Body.Len())
	}
}

func BenchmarkListThousandApps(b *testing.B) {
	f := crowd(1000)
	h := f.handler(true)
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v2/apps?embed=apps.tasks&embed=apps.taskStats&label=x==y", nil))
	}
}
