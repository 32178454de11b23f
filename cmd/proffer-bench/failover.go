package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The sizes of perf-25.
const (
	failoverKills = 20
	failoverRate  = 300             // launches a second
	failoverRun   = 3 * time.Second // of a task: some 900 run at each kill
	failoverCalm  = 2 * time.Second // between a recovery and the next kill, at the least
)

// failover is perf-25 in both profiles.
func failover(ctx context.Context, o options) ([]row, error) {
	var rows []row
	for _, p := range []struct {
		profile string
		must    float64
	}{{"default", 3}, {"fast", 1}} {
		if o.profile != "" && o.profile != p.profile {
			continue
		}
		more, err := failoverIn(ctx, o, p.profile, p.must)
		rows = append(rows, more...)
		if err != nil {
			return rows, fmt.Errorf("profile %s: %w", p.profile, err)
		}
	}
	return rows, nil
}

func failoverIn(ctx context.Context, o options, profile string, must float64) ([]row, error) {
	load := loadAverage()
	c, err := startFarm(ctx, o, farmOptions{masters: 3, profile: profile, agents: o.agents, cpus: 4, run: failoverRun, accept: pace{rate: failoverRate}})
	if err != nil {
		return nil, err
	}
	defer c.stop()
	c.begin(ctx)
	if err := pause(ctx, 5*time.Second); err != nil {
		return nil, err
	}
	var gaps []float64
	var parts []string
	for range o.kills {
		g, err := c.killLeader(ctx)
		if err != nil {
			return nil, err
		}
		gaps, parts = append(gaps, g.launch), append(parts, g.String())
	}
	c.hold(true)
	open := 0
	err = poll(ctx, 40*time.Second, 100*time.Millisecond, "every task is answered for", func() error {
		if open, _ = c.open(); open > 0 {
			return fmt.Errorf("%d are not", open)
		}
		if _, waiting := c.farm.Holding(); waiting > 0 {
			return fmt.Errorf("%d updates wait for their acknowledgement", waiting)
		}
		return nil
	})
	note := ""
	if err != nil {
		note = "; " + err.Error()
	}
	_, lost := c.open()
	_, waiting := c.farm.Holding()
	c.mu.Lock()
	defer c.mu.Unlock()
	what := fmt.Sprintf("%d kills of the leader of three, profile %s, %d agents, %d launches/s", o.kills, profile, o.agents, failoverRate)
	updates := int(c.farm.Updates.Load())
	return []row{
		row{ID: "perf-25", What: what + ": longest gap", Figure: slices.Max(gaps), Unit: "s", Note: fmt.Sprintf("median %s; load %s to %s; each: %s", figure(median(gaps)), load, loadAverage(), strings.Join(parts, ", "))}.atMost(must),
		row{ID: "perf-25", What: "the same: acknowledged launches lost", Figure: float64(lost), Unit: "tasks",
			Note: fmt.Sprintf("%d launched, %d acknowledged, %d never started, %d finished%s", len(c.tasks), c.running, c.never, c.finished, note)}.atMost(0),
		row{ID: "perf-25", What: "the same: tasks killed or failed", Figure: float64(int(c.farm.Killed.Load()) + failures(c.acceptor)), Unit: "tasks", Note: fmt.Sprintf("states %v", c.bad)}.atMost(0),
		row{ID: "perf-25", What: "the same: updates lost", Figure: float64(max(updates-c.updates, waiting)), Unit: "updates",
			Note: fmt.Sprintf("%d made, %d arrived, %d sent again, %d wait", updates, c.updates, c.farm.Resent.Load(), waiting)}.atMost(0),
	}, nil
}

func failures(a *acceptor) (n int) {
	for s, count := range a.bad {
		if terminal(s) {
			n += count
		}
	}
	return n
}

// gap is what followed the end of a leader, in seconds from its kill.
type gap struct {
	subscribed float64 // the framework has a stream again
	agents     float64 // four fifths of the agents are back
	offer      float64 // the first offer
	launch     float64 // a task that was launched after the kill is acknowledged
	quiet      float64 // longest time without a first status of any task
}

// String is the gap, how it came about, and how long nothing was acknowledged at all.
func (g gap) String() string {
	return fmt.Sprintf("%.2f (subscribed %.2f, agents %.2f, offer %.2f, quiet %.2f)", g.launch, g.subscribed, g.agents, g.offer, g.quiet)
}

// killLeader kills the leader and tells what followed.
func (c *farmCluster) killLeader(ctx context.Context) (g gap, err error) {
	err = poll(ctx, 30*time.Second, 50*time.Millisecond, "all masters serve", func() error { return c.whole(ctx) })
	if err != nil {
		return g, err
	}
	if err := pause(ctx, failoverCalm); err != nil {
		return g, err
	}
	_, pid, err := c.leader()
	if err != nil {
		return g, err
	}
	c.mu.Lock()
	subscriptions, offers := len(c.subscribed), len(c.firstAfter)
	c.mu.Unlock()
	came, killed := c.farm.Registrations.Load(), time.Now()
	if err := kill9(pid); err != nil {
		return g, err
	}
	err = poll(ctx, 30*time.Second, 10*time.Millisecond, "a launch is acknowledged again", func() error {
		if g.agents == 0 && c.farm.Registrations.Load()-came >= int64(c.farm.Size())*4/5 {
			g.agents = time.Since(killed).Seconds()
		}
		first := c.acknowledgedAfter(killed)
		if first.IsZero() {
			return errors.New("none")
		}
		g.launch = first.Sub(killed).Seconds()
		return nil
	})
	if err != nil {
		return g, err
	}
	if err := pause(ctx, time.Second); err != nil {
		return g, err
	}
	g.quiet = c.longestPause(killed).Seconds()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.subscribed) > subscriptions && len(c.firstAfter) > offers {
		g.subscribed, g.offer = c.subscribed[subscriptions].Sub(killed).Seconds(), c.firstAfter[offers].Sub(killed).Seconds()
	}
	return g, nil
}

// acknowledgedAfter is when the first task that was launched after at was acknowledged.
func (c *farmCluster) acknowledgedAfter(at time.Time) (first time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.order) - 1; i >= 0 && c.order[i].at.After(at); i-- {
		if t := c.order[i]; !t.first.IsZero() && (first.IsZero() || t.first.Before(first)) {
			first = t.first
		}
	}
	return first
}

// longestPause is the longest time without an acknowledgement, from just before at on.
func (c *farmCluster) longestPause(at time.Time) (most time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []time.Time
	for _, t := range c.tasks {
		if t.first.After(at.Add(-time.Second)) {
			all = append(all, t.first)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	for i := 1; i < len(all); i++ {
		if all[i].After(at) {
			most = max(most, all[i].Sub(all[i-1]))
		}
	}
	return most
}
