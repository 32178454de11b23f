package agent

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/profferhq/proffer/kernel/agent/ledger"
)

// metrics are the agent's figures, in a registry of their own.
type metrics struct {
	registry   *prometheus.Registry
	updates    prometheus.Counter
	reconnects prometheus.Counter
	stores     prometheus.Counter
	records    prometheus.Counter
	tasks      prometheus.Gauge
	executors  prometheus.Gauge
	waiting    prometheus.Gauge
	tombstones prometheus.Gauge
}

func newMetrics(a *Agent) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "proffer", Subsystem: "agent", Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "proffer", Subsystem: "agent", Name: name, Help: help})
	}
	m := &metrics{
		registry:   prometheus.NewRegistry(),
		updates:    counter("updates_sent_total", "Status updates sent to the leader, those sent again included."),
		reconnects: counter("link_losses_total", "How often there was no link to a leader."),
		stores:     counter("checkpoint_syncs_total", "Group commits of the checkpoint."),
		records:    counter("checkpoint_records_total", "Records stored in the checkpoint."),
		tasks:      gauge("tasks", "Tasks that hold resources."),
		executors:  gauge("executors", "Executors in the books."),
		waiting:    gauge("unacknowledged_tasks", "Tasks with an update that their framework has not acknowledged."),
		tombstones: gauge("tombstones", "Task ids that are used up and remembered."),
	}
	m.registry.MustRegister(m.updates, m.reconnects, m.stores, m.records, m.tasks, m.executors, m.waiting, m.tombstones,
		newUsageCollector(a), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(c ledger.Counts) {
	m.tasks.Set(float64(c.Tasks))
	m.executors.Set(float64(c.Executors))
	m.waiting.Set(float64(c.Unacknowledged))
	m.tombstones.Set(float64(c.Tombstones))
}
