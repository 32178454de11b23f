package marathonish

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/profferhq/proffer/marathonish/app"
)

// handler answers /metrics: Prometheus's text, and Marathon's JSON to who asks for
// that, as its clients do.
func (m *metrics) handler() http.Handler {
	text := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Accept"), "application/json") {
			text.ServeHTTP(w, r)
			return
		}
		body, err := m.document(time.Now())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
}

// document is Marathon's form of the numbers: its own names for what it has too, ours for
// the rest. They count since the beginning.
func (m *metrics) document(now time.Time) ([]byte, error) {
	families, err := m.registry.Gather()
	if err != nil {
		return nil, err
	}
	type value struct {
		Value float64 `json:"value"`
	}
	type count struct {
		Count float64 `json:"count"`
	}
	gauges, counters, histograms := map[string]value{}, map[string]count{}, map[string]count{}
	for _, f := range families {
		for _, one := range f.GetMetric() {
			name := f.GetName()
			if known := marathonGauges()[name]; known != "" {
				name = known
			}
			switch {
			case len(one.GetLabel()) > 0: // has no place in a flat list of names
			case one.GetGauge() != nil:
				gauges[name] = value{one.GetGauge().GetValue()}
			case one.GetCounter() != nil:
				counters[name] = count{one.GetCounter().GetValue()}
			case one.GetHistogram() != nil:
				histograms[name] = count{float64(one.GetHistogram().GetSampleCount())}
			}
		}
	}
	return json.Marshal(map[string]any{
		"version": "3.0.0", "start": app.Timestamp(m.start), "end": app.Timestamp(now),
		"gauges": gauges, "counters": counters, "histograms": histograms, "timers": struct{}{},
	})
}

// marathonGauges are our gauges that Marathon has too, with its names.
func marathonGauges() map[string]string {
	return map[string]string{
		prefix + "apps":        "marathon.apps.active.gauge",
		prefix + "instances":   "marathon.instances.running.gauge",
		prefix + "deployments": "marathon.deployments.active.gauge",
	}
}
