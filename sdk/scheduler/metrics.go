package scheduler

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// Gauge is a number that is read from the mind while it stands still; 0 before there is
// one.
type Gauge[M mind.Mind] struct {
	Name, Help string
	Read       func(M) int
}

// metrics are a scheduler's numbers. No label names a task: there is no end of those.
type metrics struct {
	steps, launches, kills prometheus.Counter
	commits                prometheus.Histogram
}

// newMetrics makes the numbers, and registers them where there is a registry.
func newMetrics[M mind.Mind](s *Scheduler[M]) metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := metrics{
		steps:    counter("steps_total", "Steps of the mind."),
		launches: counter("launches_total", "Tasks launched."),
		kills:    counter("kills_total", "KILL calls made."),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "commit_seconds", Help: "Time of a transaction of the store.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
	}
	if r := s.program.Metrics; r != nil {
		r.MustRegister(m.steps, m.launches, m.kills, m.commits)
		for _, g := range s.program.Gauges {
			r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.Name, Help: g.Help}, func() (n float64) {
				s.Read(func(m M) { n = float64(g.Read(m)) })
				return n
			}))
		}
	}
	return m
}
