package master

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
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
	r := prometheus.NewRegistry()
	r.MustRegister(m.requests, m.inputs, m.events, m.streams, m.dropped, m.proposals, m.leading, m.terms,
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
