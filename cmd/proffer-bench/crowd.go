package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// The sizes of the benches with a farm.
const (
	crowdTasks = 100_000 // of perf-10
	crowdCpus  = 10      // of an agent: so many tasks at a time
	crowdIdle  = 30 * time.Second
	stormTasks = 10 // of an agent in perf-12
)

// crowd is perf-10, 11 and 12 with one master.
func crowd(ctx context.Context, o options) ([]row, error) {
	var rows []row
	for _, part := range []func(context.Context, options) ([]row, error){crowdLaunch, crowdStorm} {
		more, err := part(ctx, o)
		rows = append(rows, more...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// crowdLaunch is perf-11 and then perf-10: agents that have nothing to do, and then as
// many tasks of a second as fit, until all are done.
func crowdLaunch(ctx context.Context, o options) ([]row, error) {
	c, err := startFarm(ctx, o, farmOptions{masters: 1, agents: o.agents, cpus: crowdCpus, run: time.Second, accept: pace{most: o.launches}})
	if err != nil {
		return nil, err
	}
	defer c.stop()
	pid, err := c.daemon("master", 0)
	if err != nil {
		return nil, err
	}
	rows, err := c.resting(ctx, o, pid)
	if err != nil {
		return nil, err
	}
	before, used := loadAverage(), cpuTime(pid)
	c.begin(ctx)
	err = poll(ctx, 5*time.Minute, 50*time.Millisecond, "all tasks are done", func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.finished < o.launches {
			return fmt.Errorf("%d of %d; bad %v", c.finished, o.launches, c.bad)
		}
		return nil
	})
	used = cpuTime(pid) - used
	if err != nil {
		return rows, err
	}
	rate := float64(o.launches) / c.last.Sub(c.began).Seconds()
	what := fmt.Sprintf("%d agents, %d tasks of 1 s, every offer fully", o.agents, o.launches)
	note := fmt.Sprintf("updates sent again %d, tasks never started %d; load %s to %s", c.farm.Resent.Load(), c.never, before, loadAverage())
	return append(rows,
		row{ID: "perf-10", What: what, Figure: rate, Unit: "launches/s", Note: note}.atLeast(1500),
		row{ID: "perf-10", What: "the same: processor time of the master", Figure: 1000 * ms(used) / float64(o.launches), Unit: "CPU-us", Note: fmt.Sprintf("RSS at most %.0f MB", float64(peakMemory(pid))/1e6)}.atMost(500),
	), nil
}

// resting is perf-11.
func (c *farmCluster) resting(ctx context.Context, o options, pid int) ([]row, error) {
	if err := pause(ctx, 5*time.Second); err != nil {
		return nil, err
	}
	begin, used, in, out := time.Now(), cpuTime(pid), c.farm.In.Load(), c.farm.Out.Load()
	if err := pause(ctx, crowdIdle); err != nil {
		return nil, err
	}
	took := time.Since(begin).Seconds()
	core := (cpuTime(pid) - used).Seconds() / took
	each := float64(o.agents) * took
	in, out = c.farm.In.Load()-in, c.farm.Out.Load()-out
	return []row{
		row{ID: "perf-11", What: fmt.Sprintf("%d agents connected, idle: the master's RSS", o.agents), Figure: float64(rss(pid)) / 1e6, Unit: "MB", Note: fmt.Sprintf("registering took %d streams", c.farm.Registrations.Load())}.atMost(300),
		row{ID: "perf-11", What: "the same: the master", Figure: core, Unit: "core", Note: "load " + loadAverage()}.atMost(0.15),
		row{ID: "perf-11", What: "the same: bytes of an agent, both ways", Figure: float64(in+out) / each, Unit: "B/s",
			Note: fmt.Sprintf("to it %.0f, from it %.0f", float64(in)/each, float64(out)/each)}.atMost(100),
	}, nil
}

// crowdStorm is perf-12: the only master is killed under agents that hold tasks.
func crowdStorm(ctx context.Context, o options) ([]row, error) {
	n := o.held
	if n == 0 {
		n = stormTasks * o.agents
	}
	each := (n + o.agents - 1) / o.agents
	c, err := startFarm(ctx, o, farmOptions{masters: 1, agents: o.agents, cpus: each + 1, accept: pace{most: n, perOffer: each}})
	if err != nil {
		return nil, err
	}
	defer c.stop()
	c.begin(ctx)
	err = poll(ctx, 4*time.Minute, 50*time.Millisecond, "all tasks run", func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.running < n {
			return fmt.Errorf("%d of %d", c.running, n)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, 2*time.Second); err != nil { // the last acknowledgements
		return nil, err
	}
	return c.storm(ctx, o, n)
}

func (c *farmCluster) storm(ctx context.Context, o options, n int) ([]row, error) {
	pid, err := c.daemon("master", 0)
	if err != nil {
		return nil, err
	}
	were, registered, load := len(c.firstAfter), c.farm.Registrations.Load(), loadAverage()
	killed := time.Now()
	if err := kill9(pid); err != nil {
		return nil, err
	}
	err = poll(ctx, 2*time.Minute, 20*time.Millisecond, "all agents are back and offers come", func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		here := c.farm.Registrations.Load() - registered
		if here < int64(o.agents) || c.farm.Here() < o.agents || len(c.firstAfter) == were {
			return fmt.Errorf("%d of %d agents", here, o.agents)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	offer, back := c.firstAfter[were].Sub(killed).Seconds(), c.farm.LastCame().Sub(killed).Seconds()
	c.mu.Unlock()
	known, err := c.runningTasks(ctx)
	if err != nil {
		return nil, err
	}
	running, _ := c.farm.Holding()
	lost := float64(max(n-running, n-known))
	pid, err = c.daemon("master", 0)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("%d agents with %d tasks, kill -9 of the only master", o.agents, n)
	return []row{
		row{ID: "perf-12", What: what + ": first offer", Figure: offer, Unit: "s", Note: "load " + load + " to " + loadAverage()}.atMost(3),
		row{ID: "perf-12", What: "the same: all agents back", Figure: back, Unit: "s", Note: fmt.Sprintf("new master's processor time %.2f s, RSS at most %.0f MB", cpuTime(pid).Seconds(), float64(peakMemory(pid))/1e6)}.atMost(5.6),
		row{ID: "perf-12", What: "the same: tasks lost", Figure: lost, Unit: "tasks", Note: fmt.Sprintf("killed %d, updates sent again %d", c.farm.Killed.Load(), c.farm.Resent.Load())}.atMost(0),
	}, nil
}

// runningTasks is how many tasks the leader knows to run.
func (c *farmCluster) runningTasks(ctx context.Context) (int, error) {
	op, err := c.operator()
	if err != nil {
		return 0, err
	}
	defer op.Close()
	tasks, err := op.Tasks(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for i := range tasks.Tasks {
		if tasks.Tasks[i].State == sdk.TaskRunning {
			n++
		}
	}
	if n == 0 {
		return 0, errors.New("no task runs")
	}
	return n, nil
}
