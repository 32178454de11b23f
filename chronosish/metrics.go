package chronosish

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// prefix begins the names of chronosish's numbers.
const prefix = "proffer_chronosish_"

// metrics are chronosish's numbers, in a registry of their own. No label names a job
// or a task: there is no end of those.
type metrics struct {
	registry *prometheus.Registry
	steps    prometheus.Counter
	launches prometheus.Counter
	kills    prometheus.Counter
	commits  prometheus.Histogram
}

func newMetrics(s *Scheduler) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
	}
	gauge := func(name, help string, read func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, func() float64 {
			s.mu.RLock()
			defer s.mu.RUnlock()
			if s.book == nil {
				return 0
			}
			return float64(read())
		})
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		steps:    counter("steps_total", "Steps of the mind."),
		launches: counter("launches_total", "Attempts launched."),
		kills:    counter("kills_total", "KILL calls made."),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "commit_seconds", Help: "Time of a transaction of the store.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
	}
	m.registry.MustRegister(m.steps, m.launches, m.kills, m.commits,
		gauge("jobs", "Jobs that there are.", func() int { return s.book.Counts().Jobs }),
		gauge("attempts", "Attempts that have not ended.", func() int { return s.book.Counts().Attempts }),
		gauge("waiting", "Runs that wait for their next attempt.", func() int { return s.book.Counts().Waiting }),
		gauge("history_records", "Records of the history.", func() int { return s.book.Counts().History }),
		gauge("history_bytes", "Their room in the store.", func() int { return s.book.Counts().HistoryBytes }),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}
