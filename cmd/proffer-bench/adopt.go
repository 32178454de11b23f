package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

// restartAgent kills the agent and measures in seconds how soon it has registered again
// with its n tasks.
func restartAgent(ctx context.Context, u *upCluster, n int) (float64, error) {
	o := operator.DefaultOptions()
	o.Addrs, o.Token = []string{u.addr}, u.token
	op, err := operator.New(o)
	if err != nil {
		return 0, err
	}
	before, err := agentStamp(ctx, op)
	if err != nil {
		return 0, err
	}
	pid, err := u.pidOf("agent")
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := kill9(pid); err != nil {
		return 0, err
	}
	for time.Since(begin) < time.Minute {
		now, err := agentStamp(ctx, op)
		if err == nil && now > before {
			took := time.Since(begin).Seconds()
			return took, allRun(ctx, op, n)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return 0, errors.New("the killed agent is not back after a minute")
}

// agentStamp is when the only agent has registered last.
func agentStamp(ctx context.Context, op *operator.Client) (int64, error) {
	agents, err := op.Agents(ctx)
	if err != nil {
		return 0, err
	}
	if len(agents.Agents) != 1 {
		return 0, fmt.Errorf("%d agents, expected one", len(agents.Agents))
	}
	a := agents.Agents[0]
	switch {
	case !a.Active:
		return 0, errors.New("the agent is away")
	case a.ReregisteredTime != nil:
		return a.ReregisteredTime.Nanoseconds, nil
	case a.RegisteredTime != nil:
		return a.RegisteredTime.Nanoseconds, nil
	}
	return 0, nil
}

// allRun tells whether the tasks that slept before the kill run after it.
func allRun(ctx context.Context, op *operator.Client, want int) error {
	tasks, err := op.Tasks(ctx)
	if err != nil {
		return err
	}
	n := 0
	for _, t := range tasks.Tasks {
		if t.State == sdk.TaskRunning {
			n++
		}
	}
	if n != want {
		return fmt.Errorf("%d of %d tasks run after the agent's restart", n, want)
	}
	return nil
}
