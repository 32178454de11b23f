package agent

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/usage"
)

// sampled is what one container uses.
type sampled struct {
	c *isolator.Container
	s usage.Sample
}

// sample reads the numbers of every container that is made.
func (a *Agent) sample(ctx context.Context) []sampled {
	var out []sampled
	for _, x := range a.boxes.list() {
		x.mu.Lock()
		made := x.state == boxMade
		x.mu.Unlock()
		if x.def || !made {
			continue
		}
		m := sampled{c: x.view()}
		if a.chain.Sample(ctx, m.c, &m.s) == nil { // else it ended meanwhile
			out = append(out, m)
		}
	}
	return out
}

// usageCollector sums the containers' numbers for Prometheus. It reads them when it
// is asked, and at most every SampleEvery: an agent that nobody asks reads nothing.
type usageCollector struct {
	a               *Agent
	cpu, memory, no *prometheus.Desc

	mu   sync.Mutex
	at   time.Time
	sums [3]float64
}

func newUsageCollector(a *Agent) *usageCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("proffer_agent_"+name, help, nil, nil)
	}
	return &usageCollector{a: a,
		cpu:    desc("containers_cpu_seconds", "Processor time of the containers that are in use, since each began."),
		memory: desc("containers_memory_bytes", "Memory charged to the containers that are in use."),
		no:     desc("containers_measured", "Containers that are in use and can be measured."),
	}
}

// Describe implements prometheus.Collector.
func (u *usageCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- u.cpu
	ch <- u.memory
	ch <- u.no
}

// Collect implements prometheus.Collector.
func (u *usageCollector) Collect(ch chan<- prometheus.Metric) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if now := time.Now(); now.Sub(u.at) >= u.a.o.SampleEvery {
		u.at, u.sums = now, [3]float64{}
		for _, m := range u.a.sample(context.Background()) {
			u.sums[0] += m.s.CPU.Seconds()
			u.sums[1] += float64(m.s.Memory)
			u.sums[2]++
		}
	}
	for i, d := range []*prometheus.Desc{u.cpu, u.memory, u.no} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, u.sums[i])
	}
}
