package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// The sizes of the launch benches.
const (
	repeats    = 3
	sleepers   = 500
	runRepeats = 20
	plenty     = "cpus:1000;mem:200000;ports:[31000-32000]" // declared, so that nothing waits for room
)

// launch measures the path from ACCEPT to a terminal status, and what it costs.
func launch(ctx context.Context, o options) ([]row, error) {
	before := forkYardstick("F")
	rows := []row{before}
	for _, part := range []func(context.Context, options, float64) ([]row, error){launchGroups, launchPlain, startLatency, runLatency, perTask} {
		more, err := part(ctx, o, before.Figure)
		rows = append(rows, more...)
		if err != nil {
			return rows, err
		}
	}
	after := forkYardstick("F after")
	if lo, hi := min(before.Figure, after.Figure), max(before.Figure, after.Figure); hi > 1.25*lo {
		after.Note += fmt.Sprintf("; differs by %.0f %% from before: wall figures are inconclusive", 100*(hi/lo-1))
	}
	return append(rows, after), nil
}

// burst runs `true` n times through a fresh cluster, repeats times; medians count.
func burst(ctx context.Context, o options, more ...string) (rate, cpuMs, first float64, note string, err error) {
	u, err := startUp(ctx, o, plenty, more...)
	if err != nil {
		return 0, 0, 0, "", err
	}
	defer u.stop()
	var rates, costs, firsts []float64
	for range repeats {
		b := &batch{n: o.tasks, command: argv("/bin/true"), until: terminal}
		cpu := u.cpu()
		var used time.Duration
		if err := b.run(ctx, u, func() { used = u.cpu() - cpu }); err != nil {
			return 0, 0, 0, "", err
		}
		if len(b.failed) > 0 {
			return 0, 0, 0, "", fmt.Errorf("tasks did not finish: %v", b.failed)
		}
		rates = append(rates, float64(b.n)/b.wall().Seconds())
		costs = append(costs, ms(used)/float64(b.n))
		firsts = append(firsts, b.first().Seconds())
	}
	note = fmt.Sprintf("rates %s; CPU-ms %s; load %s", list(rates), list(costs), loadAverage())
	return median(rates), median(costs), median(firsts), note, nil
}

func launchGroups(ctx context.Context, o options, f float64) ([]row, error) {
	rate, cost, first, note, err := burst(ctx, o)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("%d x true, cgroups on, submit to all terminal", o.tasks)
	return []row{
		row{ID: "perf-1", What: what, Figure: rate, Unit: "tasks/s", Note: note}.atLeast(150),
		row{ID: "perf-1", What: what + ": whole tree", Figure: cost, Unit: "CPU-ms/task"}.atMost(10),
		row{ID: "perf-1", What: what + ": first terminal status", Figure: first, Unit: "s"}.atMost(0.5),
	}, nil
}

func launchPlain(ctx context.Context, o options, f float64) ([]row, error) {
	rate, cost, _, note, err := burst(ctx, o, "--no-cgroups")
	if err != nil {
		return nil, err
	}
	return []row{row{ID: "perf-2", What: fmt.Sprintf("the same as plain processes, ratio to F (%.0f/s, %.2f CPU-ms)", rate, cost), Figure: rate / f, Unit: "x F", Note: note}.atLeast(0.15)}, nil
}

// startLatency is perf-5's launch part: from nothing to a first running task.
func startLatency(ctx context.Context, o options, _ float64) ([]row, error) {
	var ready, running, cpus []float64
	for range repeats {
		begin := time.Now()
		u, err := startUp(ctx, o, plenty)
		if err != nil {
			return nil, err
		}
		b := &batch{n: 1, command: argv("/bin/sleep", "1"), until: func(s sdk.TaskState) bool { return s == sdk.TaskRunning }}
		err = b.run(ctx, u, func() {
			running = append(running, time.Since(begin).Seconds())
			cpus = append(cpus, u.cpu().Seconds())
		})
		ready = append(ready, u.ready.Seconds())
		u.stop()
		if err != nil {
			return nil, err
		}
	}
	return []row{
		row{ID: "perf-5", What: "start to ready, one master and one agent", Figure: median(ready), Unit: "s", Note: list(ready)}.atMost(0.5),
		row{ID: "perf-5", What: "start to first task running", Figure: median(running), Unit: "s", Note: list(running)}.atMost(1),
		row{ID: "perf-5", What: "CPU until then, whole tree", Figure: median(cpus), Unit: "CPU-s", Note: list(cpus)}.atMost(0.2),
	}, nil
}

// runLatency is what a person waits for `proffer run -- true`.
func runLatency(ctx context.Context, o options, _ float64) ([]row, error) {
	u, err := startUp(ctx, o, plenty, booted()...)
	if err != nil {
		return nil, err
	}
	defer u.stop()
	if err := newMarathon(u).await(ctx); err != nil {
		return nil, err
	}
	var all []float64
	for range runRepeats {
		begin := time.Now()
		cmd := exec.CommandContext(ctx, u.cmd.Path, "run", "--addr", u.addr, "--up-dir", u.dir, "--", "true")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("proffer run: %w: %s", err, out)
		}
		all = append(all, ms(time.Since(begin)))
	}
	slices.Sort(all)
	note := fmt.Sprintf("min %.0f, p90 %.0f, max %.0f, n=%d", all[0], all[len(all)*9/10], all[len(all)-1], len(all))
	return []row{row{ID: "run", What: "`proffer run -- true`, from start to exit, marathonish up", Figure: median(all), Unit: "ms", Note: note}.atMost(200)}, nil
}

// perTask is perf-4: the memory of 500 sleeping tasks beyond their own, and how soon a
// killed agent has them again.
func perTask(ctx context.Context, o options, _ float64) ([]row, error) {
	u, err := startUp(ctx, o, plenty)
	if err != nil {
		return nil, err
	}
	defer u.stop()
	ours := func(cmdline string) bool { return strings.Contains(cmdline, "proffer") }
	one := &batch{n: 1, command: argv("/bin/true"), until: terminal}
	if err := one.run(ctx, u, func() {}); err != nil {
		return nil, err
	}
	empty := u.memory(ours)
	hold := make(chan struct{})
	b := &batch{n: sleepers, command: argv("/bin/sleep", "600"), until: func(s sdk.TaskState) bool { return s == sdk.TaskRunning }, hold: hold}
	var each, back float64
	var failure error
	err = b.run(ctx, u, func() {
		defer close(hold)
		each = float64(u.memory(ours)-empty) / sleepers / (1 << 20)
		back, failure = restartAgent(ctx, u, sleepers)
	})
	if err == nil {
		err = failure
	}
	if err != nil {
		return nil, err
	}
	return []row{
		row{ID: "perf-4", What: fmt.Sprintf("%d x sleep: PSS per task beyond the task, no supervisor each", sleepers), Figure: each, Unit: "MiB"}.atMost(0.3),
		row{ID: "perf-4", What: "kill -9 of the agent to all of them re-adopted", Figure: back, Unit: "s"}.atMost(3),
	}, nil
}

func median(all []float64) float64 {
	s := slices.Sorted(slices.Values(all))
	return s[len(s)/2]
}

func list(all []float64) string {
	var parts []string
	for _, f := range all {
		parts = append(parts, figure(f))
	}
	return strings.Join(parts, " ")
}
