package marathonish

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestMetricsInBothForms: Prometheus gets its text, and Marathon's clients, which ask for
// JSON, get Marathon's names.
func TestMetricsInBothForms(t *testing.T) {
	o := DefaultOptions()
	o.Addrs, o.Bind, o.BootApps = []string{"127.0.0.1:1"}, "127.0.0.1", ""
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	m := s.metrics
	m.events.Add(3)
	defer func() {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Run(ended); err != nil { // it stops listening
			t.Error(err)
		}
	}()
	ask := func(accept string) string {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil)
		r.Header.Set("Accept", accept)
		m.handler().ServeHTTP(w, r)
		if w.Code != 200 {
			t.Errorf("%q: %d %s", accept, w.Code, w.Body)
		}
		return w.Body.String()
	}
	if text := ask("*/*"); !strings.Contains(text, "proffer_marathonish_events_total 3\n") {
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
	_, launches := got.Counters[prefix+"launches_total"]["count"]
	_, commits := got.Histograms[prefix+"commit_seconds"]["count"]
	if got.Counters[prefix+"events_total"]["count"] != 3 || !launches || !commits || got.Start.IsZero() || got.End.Before(got.Start) {
		t.Errorf("%+v", got)
	}
}
