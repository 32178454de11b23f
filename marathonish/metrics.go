package marathonish

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk/scheduler"
)

// prefix begins the names of marathonish's numbers.
const prefix = "proffer_marathonish_"

// metrics are marathonish's numbers, in a registry of their own. No label names an app
// or a task: there is no end of those.
type metrics struct {
	registry *prometheus.Registry
	start    time.Time
	events   prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		start:    time.Now(),
		events:   prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + "events_total", Help: "Events published."}),
	}
	m.registry.MustRegister(m.events, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func gauges() []scheduler.Gauge[*fleet.Fleet] {
	return []scheduler.Gauge[*fleet.Fleet]{
		{Name: "apps", Help: "Apps that there are.", Read: func(f *fleet.Fleet) int { return f.Counts().Apps }},
		{Name: "instances", Help: "Instances that have not ended.", Read: func(f *fleet.Fleet) int { return f.Counts().Instances }},
		{Name: "deployments", Help: "Deployments that run.", Read: func(f *fleet.Fleet) int { return f.Counts().Deployments }},
		{Name: "waiting", Help: "Apps with launches that wait.", Read: func(f *fleet.Fleet) int { return f.Counts().Waiting }},
	}
}
