package allocator_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/sdk"
)

// filled is an allocator with so many agents, frameworks and roles, every agent
// free, nothing sorted yet.
func filled(agents, frameworks, roles int, o allocator.Options) *allocator.Allocator {
	a := allocator.New(o)
	for i := range agents {
		a.AddAgent(allocator.Agent{ID: agentID(i), Total: machine()}, nil)
	}
	for i := range frameworks {
		a.AddFramework(allocator.Framework{
			ID:    sdk.FrameworkID(fmt.Sprintf("framework-%06d", i)),
			Roles: []string{fmt.Sprintf("role-%06d", i%roles)},
		})
	}
	return a
}

func agentID(i int) sdk.AgentID { return sdk.AgentID(fmt.Sprintf("agent-%06d", i)) }

func machine() sdk.Resources {
	return sdk.Resources{
		sdk.NewScalar("cpus", 24), sdk.NewScalar("mem", 65536), sdk.NewScalar("disk", 1e6),
		sdk.NewRanges("ports", sdk.Range{Begin: 31000, End: 32000}),
	}
}

// BenchmarkCycle is perf-7: one full cycle with every agent free and nothing sorted.
func BenchmarkCycle(b *testing.B) {
	shapes := []struct{ agents, frameworks, roles int }{
		{10_000, 1, 1}, {10_000, 100, 100}, {10_000, 1_000, 1_000}, {50_000, 200, 200}, {2_000, 2_000, 1_000},
	}
	for _, s := range shapes {
		heads := []string{""}
		if s.frameworks == 100 {
			heads = append(heads, "cpus:0.5;mem:128")
		}
		for _, head := range heads {
			b.Run(fmt.Sprintf("agents=%d/frameworks=%d/roles=%d/headroom=%q", s.agents, s.frameworks, s.roles, head), func(b *testing.B) {
				keep, err := sdk.ParseResources(head)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for range b.N {
					b.StopTimer()
					a := filled(s.agents, s.frameworks, s.roles, allocator.Options{HeadRoom: keep})
					b.StartTimer()
					if got := len(a.Allocate(start())); got != s.agents {
						b.Fatalf("%d offers for %d agents", got, s.agents)
					}
				}
			})
		}
	}
}

// BenchmarkCycleTree is perf-9 without quota: 300 roles on three levels, weights,
// and on every agent some cpus reserved to one of them.
func BenchmarkCycleTree(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		b.StopTimer()
		role := func(i int) string { return fmt.Sprintf("org-%d/team-%d/job-%d", i%3, i/3%10, i/30%10) }
		a := allocator.New(allocator.Options{Weights: map[string]float64{"org-0": 2, "org-1/team-1": 3}})
		for i := range 10_000 {
			held := sdk.NewScalar("cpus", 2)
			held.Role = role(i % 300)
			a.AddAgent(allocator.Agent{ID: agentID(i), Total: append(machine(), held)}, nil)
		}
		for i := range 300 {
			a.AddFramework(allocator.Framework{ID: sdk.FrameworkID(fmt.Sprintf("framework-%06d", i)), Roles: []string{role(i)}})
		}
		b.StartTimer()
		if got := len(a.Allocate(start())); got < 10_000 {
			b.Fatalf("%d offers", got)
		}
	}
}

func start() time.Time { return time.Unix(1_000_000, 0) }

// BenchmarkCycleEmpty is perf-7's empty cycle: everything is out in offers.
func BenchmarkCycleEmpty(b *testing.B) {
	a := filled(2_000, 2_000, 1_000, allocator.Options{})
	a.Allocate(start())
	for b.Loop() {
		if got := a.Allocate(start()); len(got) != 0 {
			b.Fatalf("%d offers of nothing", len(got))
		}
	}
}

// BenchmarkRecover is perf-8: on one of 10,000 agents a task ends, and what it
// used is offered to one of 1,000 frameworks, who uses it. In `refused` all but
// one of them declined twice as much before, so that their filters are read.
func BenchmarkRecover(b *testing.B) {
	for _, refused := range []bool{false, true} {
		b.Run(fmt.Sprintf("refused=%t", refused), func(b *testing.B) {
			a, holders := busy(b, 10_000, 1_000)
			if refused {
				refuseAll(b, a, holders)
			}
			task := sdk.Resources{sdk.NewScalar("cpus", 1), sdk.NewScalar("mem", 1024)}
			times := make([]time.Duration, 0, b.N)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				h := &holders[i%len(holders)]
				began := time.Now()
				if err := a.Release(*h, task); err != nil {
					b.Fatal(err)
				}
				offers := a.Allocate(start())
				times = append(times, time.Since(began))
				if len(offers) != 1 {
					b.Fatalf("%d offers", len(offers))
				}
				*h = offers[0].Holder
				if err := a.Accept(start(), *h, offers[0].Resources, offers[0].Resources, 0); err != nil {
					b.Fatal(err)
				}
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[(len(times)*99-1)/100].Nanoseconds())/1000, "p99-µs")
		})
	}
}

// busy is a cluster in which every agent is used up, and who uses the first 20.
func busy(b *testing.B, agents, frameworks int) (*allocator.Allocator, []allocator.Holder) {
	a := filled(agents, frameworks, frameworks, allocator.Options{})
	var holders []allocator.Holder
	for _, o := range a.Allocate(start()) {
		if err := a.Accept(start(), o.Holder, o.Resources, o.Resources, 0); err != nil {
			b.Fatal(err)
		}
		if len(holders) < 20 {
			holders = append(holders, o.Holder)
		}
	}
	return a, holders
}

// refuseAll has every framework but the last decline two tasks on each holder's agent.
func refuseAll(b *testing.B, a *allocator.Allocator, holders []allocator.Holder) {
	last := sdk.FrameworkID("framework-000999")
	a.Suppress(last)
	for _, h := range holders {
		if err := a.Release(h, sdk.Resources{sdk.NewScalar("cpus", 2), sdk.NewScalar("mem", 2048)}); err != nil {
			b.Fatal(err)
		}
	}
	refusals := 0
	for offers := a.Allocate(start()); len(offers) > 0; offers = a.Allocate(start()) {
		for _, o := range offers {
			refusals++
			if err := a.Recover(start(), o.Holder, o.Resources, time.Hour); err != nil {
				b.Fatal(err)
			}
		}
	}
	if refusals != len(holders)*999 {
		b.Fatalf("%d refusals", refusals)
	}
	a.Revive(last)
	for _, o := range a.Allocate(start()) {
		if err := a.Accept(start(), o.Holder, o.Resources, o.Resources, 0); err != nil {
			b.Fatal(err)
		}
	}
}
