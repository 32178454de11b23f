package marathonish

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// prefix begins the names of marathonish's numbers.
const prefix = "proffer_marathonish_"

// metrics are marathonish's numbers, in a registry of their own. No label names an app
// or a task: there is no end of those.
type metrics struct {
	registry *prometheus.Registry
	start    time.Time
	steps    prometheus.Counter
	launches prometheus.Counter
	kills    prometheus.Counter
	events   prometheus.Counter
	commits  prometheus.Histogram
}

func newMetrics(s *Supervisor) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
	}
	gauge := func(name, help string, read func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, func() float64 {
			s.mu.RLock()
			defer s.mu.RUnlock()
			if s.fleet == nil {
				return 0
			}
			return float64(read())
		})
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		start:    time.Now(),
		steps:    counter("steps_total", "Steps of the mind."),
		launches: counter("launches_total", "Instances launched."),
		kills:    counter("kills_total", "KILL calls made."),
		events:   counter("events_total", "Events published."),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "commit_seconds", Help: "Time of a transaction of the store.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
	}
	m.registry.MustRegister(m.steps, m.launches, m.kills, m.events, m.commits,
		gauge("apps", "Apps that there are.", func() int { return s.fleet.Counts().Apps }),
		gauge("instances", "Instances that have not ended.", func() int { return s.fleet.Counts().Instances }),
		gauge("deployments", "Deployments that run.", func() int { return s.fleet.Counts().Deployments }),
		gauge("waiting", "Apps with launches that wait.", func() int { return s.fleet.Counts().Waiting }),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}
