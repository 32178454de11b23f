package master

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// metrics are this master's numbers, in a registry of its own. No label ever
// names a task, a framework or an agent: there is no end of those.
type metrics struct {
	handler   http.Handler
	requests  *prometheus.CounterVec
	inputs    prometheus.Counter
	events    *prometheus.CounterVec
	streams   *prometheus.GaugeVec
	dropped   prometheus.Counter
	proposals prometheus.Counter
	leading   prometheus.Gauge
	terms     prometheus.Counter

	storeCalls  *prometheus.CounterVec
	leasesEnded *prometheus.CounterVec
	registry    *prometheus.Registry
}

func newMetrics() *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "proffer_master_" + name, Help: help})
	}
	m := &metrics{
		requests:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "proffer_master_http_requests_total", Help: "Requests answered, by route and status."}, []string{"route", "status"}),
		inputs:    counter("inputs_total", "Inputs of the leader's loop."),
		events:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "proffer_master_events_total", Help: "Events sent, by kind of stream."}, []string{"stream"}),
		streams:   prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "proffer_master_streams", Help: "Open streams, by kind."}, []string{"stream"}),
		dropped:   counter("streams_dropped_total", "Streams ended because their reader was too slow."),
		proposals: counter("proposals_total", "Commands proposed to the replicated log."),
		leading:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "proffer_master_leading", Help: "1 while this master leads."}),
		terms:     counter("terms_total", "Times that this master began to lead."),
	}
	m.storeCalls = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "proffer_master_store_calls_total", Help: "Calls of the store answered, by type and code."}, []string{"type", "code"})
	m.leasesEnded = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "proffer_master_store_leases_ended_total", Help: "Leases of the store that ended, by cause."}, []string{"cause"})
	r := prometheus.NewRegistry()
	m.registry = r
	r.MustRegister(m.requests, m.inputs, m.events, m.streams, m.dropped, m.proposals, m.leading, m.terms, m.storeCalls, m.leasesEnded,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(r, promhttp.HandlerOpts{})
	return m
}

func (m *metrics) request(route string, status int) {
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
}

func (m *metrics) storeCall(t sdk.StoreCallType, err error) {
	code := sdk.Code("ok")
	if err != nil {
		code = sdk.CodeOf(err)
	}
	switch t {
	case sdk.StoreCallGet, sdk.StoreCallList, sdk.StoreCallWatch, sdk.StoreCallCommit, sdk.StoreCallGrant, sdk.StoreCallKeepAlive, sdk.StoreCallRevoke:
	default:
		t = "none" // of a stranger's choice
	}
	m.storeCalls.WithLabelValues(string(t), string(code)).Inc()
}

// store adds the store's gauges, which are counted when they are read.
func (m *metrics) store(stats func() store.Stats) {
	for _, g := range []struct {
		name, help string
		value      func(store.Stats) uint64
	}{
		{"spaces", "Spaces of the frameworks' store.", func(s store.Stats) uint64 { return s.Spaces }},
		{"keys", "Keys in all spaces of the store.", func(s store.Stats) uint64 { return s.Keys }},
		{"leases", "Leases that have not ended.", func(s store.Stats) uint64 { return s.Leases }},
		{"bytes", "Bytes of all spaces, as their limit counts them.", func(s store.Stats) uint64 { return s.Bytes }},
		{"fullest_bytes", "Bytes of the largest space, as its limit counts them.", func(s store.Stats) uint64 { return s.Fullest }},
	} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "proffer_master_store_" + g.name, Help: g.help},
			func() float64 { return float64(g.value(stats())) }))
	}
}
