package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

// alarmHogs are processes that do nothing but compute, beside everything else.
const alarmHogs = 8

// alarms is the last of perf-18's bounds: on a machine that has far too much to do nobody
// who lives is given up. Three masters, one real agent and a farm, in profile default.
func alarms(ctx context.Context, o options) ([]row, error) {
	c, err := startFarm(ctx, o, farmOptions{masters: 3, agents: o.agents, cpus: crowdCpus, run: time.Second, accept: pace{rate: 100}})
	if err != nil {
		return nil, err
	}
	defer c.stop()
	c.begin(ctx)
	op, err := c.operator()
	if err != nil {
		return nil, err
	}
	defer op.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var lost, leaders atomic.Int64
	watched := make(chan struct{})
	defer func() { cancel(); <-watched }()
	go func() {
		defer close(watched)
		watchLosses(ctx, op, &lost, &leaders)
	}()
	for range alarmHogs {
		hog := exec.CommandContext(ctx, "/bin/sh", "-c", "while :; do :; done")
		if err := hog.Start(); err != nil {
			return nil, err
		}
		defer func() { cancel(); _ = hog.Wait() }()
	}
	streams, begin, load := c.farm.Lost.Load(), time.Now(), 0.0
	for n := 1.0; time.Since(begin) < o.quiet; n++ {
		if err := pause(ctx, min(5*time.Second, o.quiet)); err != nil {
			return nil, err
		}
		var now float64
		if _, err := fmt.Sscan(loadAverage(), &now); err == nil {
			load += (now - load) / n
		}
	}
	return []row{row{ID: "perf-18", What: fmt.Sprintf("%d agents, profile default, %v on a busy machine: agents given up", o.agents, o.quiet), Figure: float64(lost.Load()), Unit: "agents",
		Note: fmt.Sprintf("streams lost %d, subscriptions to a leader %d; mean load %.1f, of which %d are hogs", c.farm.Lost.Load()-streams, leaders.Load(), load, alarmHogs)}.atMost(0)}, nil
}

// watchLosses counts the agents that a leader gives up, and the leaders that it was told by.
func watchLosses(ctx context.Context, op *operator.Client, lost, leaders *atomic.Int64) {
	for ctx.Err() == nil {
		err := op.Subscribe(ctx, func(e *sdk.OperatorEvent) error {
			switch e.Type {
			case sdk.OperatorEventSubscribed:
				leaders.Add(1)
			case sdk.OperatorEventAgentRemoved:
				lost.Add(1)
			}
			return nil
		})
		if err == nil || errors.Is(err, context.Canceled) {
			return
		}
		_ = pause(ctx, 100*time.Millisecond)
	}
}
