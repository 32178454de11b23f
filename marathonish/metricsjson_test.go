package marathonish

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestMetricsInBothForms: Prometheus gets its text, and Marathon's clients, which ask for
// JSON, get Marathon's names.
func TestMetricsInBothForms(t *testing.T) {
	m := newMetrics(&Supervisor{})
	m.launches.Add(3)
	m.commits.Observe(1)
	ask := func(accept string) string {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil)
		r.Header.Set("Accept", accept)
		m.handler().ServeHTTP(w, r)
		if w.Code != 200 {
			t.Errorf("%q: %d %s", accept, w.Code, w.Body)
		}
		return w.Body.String()
	}
	if text := ask("*/*"); !strings.Contains(text, "proffer_marathonish_launches_total 3\n") {
		t.Errorf("as text: %.300s", text)
	}
	var got struct {
		Start, End           time.Time
		Gauges               map[string]map[string]float64
		Counters, Histograms map[string]map[string]float64
	}
	if err := json.Unmarshal([]byte(ask("application/json")), &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"marathon.apps.active.gauge", "marathon.instances.running.gauge", "marathon.deployments.active.gauge", prefix + "waiting"} {
		if value, there := got.Gauges[name]["value"]; !there || value != 0 {
			t.Errorf("%s: %v", name, got.Gauges[name])
		}
	}
	if got.Counters[prefix+"launches_total"]["count"] != 3 || got.Histograms[prefix+"commit_seconds"]["count"] != 1 || got.Start.IsZero() || got.End.Before(got.Start) {
		t.Errorf("%+v", got)
	}
}
