package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/sdk"
)

// allocShape is one size of perf-7.
type allocShape struct {
	agents, frameworks, roles int
	must                      float64 // milliseconds
}

// allocBench measures the allocator by itself: whole cycles with every agent
// free and nothing sorted, the empty cycle, and one task's end at a time.
func allocBench(ctx context.Context, _ options) ([]row, error) {
	var rows []row
	for _, s := range []allocShape{
		{10_000, 1, 1, 50}, {10_000, 100, 100, 100}, {10_000, 1_000, 1_000, 500}, {50_000, 200, 200, 1500}, {2_000, 2_000, 1_000, 50},
	} {
		if err := ctx.Err(); err != nil {
			return rows, err
		}
		cycle, allocs, err := allocCycle(s)
		if err != nil {
			return rows, err
		}
		rows = append(rows, cycle.atMost(s.must), allocs.atMost(2))
	}
	rows = append(rows, allocEmpty().atMost(1000))
	recovered, err := allocRecover(ctx, 2_000)
	if err != nil {
		return rows, err
	}
	return append(rows, recovered.atMost(1000)), nil
}

// allocCluster is agents and frameworks that nobody has looked at yet.
func allocCluster(s allocShape) *allocator.Allocator {
	a := allocator.New(allocator.Options{})
	for i := range s.agents {
		a.AddAgent(allocator.Agent{ID: sdk.AgentID(fmt.Sprintf("agent-%06d", i)), Total: sdk.Resources{
			sdk.NewScalar("cpus", 24), sdk.NewScalar("mem", 65536), sdk.NewScalar("disk", 1e6),
			sdk.NewRanges("ports", sdk.Range{Begin: 31000, End: 32000}),
		}}, nil)
	}
	for i := range s.frameworks {
		a.AddFramework(allocator.Framework{
			ID: sdk.FrameworkID(fmt.Sprintf("framework-%06d", i)), Roles: []string{fmt.Sprintf("role-%06d", i%s.roles)},
		})
	}
	return a
}

// allocCycle is the median of five whole cycles, and what one agent costs in
// heap allocations.
func allocCycle(s allocShape) (cycle, allocs row, err error) {
	times := make([]time.Duration, 0, 5)
	var before, after runtime.MemStats
	for range cap(times) {
		a := allocCluster(s)
		runtime.GC()
		runtime.ReadMemStats(&before)
		began := time.Now()
		offers := a.Allocate(began)
		times = append(times, time.Since(began))
		runtime.ReadMemStats(&after)
		if len(offers) != s.agents {
			return row{}, row{}, fmt.Errorf("a cycle made %d offers for %d free agents", len(offers), s.agents)
		}
	}
	slices.Sort(times)
	what := fmt.Sprintf("allocator, full cycle: %d agents, %d frameworks, %d roles", s.agents, s.frameworks, s.roles)
	note := fmt.Sprintf("%.3g to %.3g ms", ms(times[0]), ms(times[4]))
	cycle = row{ID: "perf-7", What: what, Figure: ms(times[2]), Unit: "ms", Note: note}
	perAgent := float64(after.Mallocs-before.Mallocs) / float64(s.agents)
	allocs = row{ID: "perf-7", What: what + ", per agent", Figure: perAgent, Unit: "allocs"}
	return cycle, allocs, nil
}

// allocEmpty is a cycle in which nothing happened since the last one.
func allocEmpty() row {
	a := allocCluster(allocShape{agents: 2_000, frameworks: 2_000, roles: 1_000})
	a.Allocate(time.Now())
	began := time.Now()
	const times = 1000
	for range times {
		a.Allocate(began)
	}
	return row{ID: "perf-7", What: "allocator, empty cycle: 2000 agents, 2000 frameworks", Figure: 1000 * ms(time.Since(began)) / times, Unit: "µs"}
}

// allocRecover is perf-8: at 1,000 events a second a task ends on one of 10,000
// agents, and what it used is offered to one of 1,000 frameworks.
func allocRecover(ctx context.Context, events int) (row, error) {
	a := allocCluster(allocShape{agents: 10_000, frameworks: 1_000, roles: 1_000})
	now := time.Now()
	holders := make([]allocator.Holder, 0, 10_000)
	for _, o := range a.Allocate(now) {
		if err := a.Accept(now, o.Holder, o.Resources, o.Resources, 0); err != nil {
			return row{}, err
		}
		holders = append(holders, o.Holder)
	}
	task := sdk.Resources{sdk.NewScalar("cpus", 1), sdk.NewScalar("mem", 1024)}
	times := make([]time.Duration, 0, events)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := range events {
		select {
		case <-ctx.Done():
			return row{}, ctx.Err()
		case <-tick.C:
		}
		h := &holders[i*7919%len(holders)]
		began := time.Now()
		if err := a.Release(*h, task); err != nil {
			return row{}, err
		}
		offers := a.Allocate(began)
		times = append(times, time.Since(began))
		if len(offers) != 1 {
			return row{}, fmt.Errorf("one task ended, and %d offers were made", len(offers))
		}
		*h = offers[0].Holder
		if err := a.Accept(began, *h, offers[0].Resources, offers[0].Resources, 0); err != nil {
			return row{}, err
		}
	}
	slices.Sort(times)
	p99, p50 := times[(len(times)*99-1)/100], times[len(times)/2]
	return row{
		ID: "perf-8", What: "allocator, a task ends at 1000/s: 10000 agents, 1000 frameworks, p99", Unit: "µs",
		Figure: float64(p99.Nanoseconds()) / 1000, Note: fmt.Sprintf("p50 %.3g µs", float64(p50.Nanoseconds())/1000),
	}, nil
}
