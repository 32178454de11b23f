package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/kernel/up"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

// lately is how many failed tasks `status` shows.
const lately = 5

func statusCommand(c *client) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Is the cluster healthy? Who leads? How full is it? What failed lately?", Args: cobra.NoArgs,
		Example: "  proffer status\n  proffer status --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			op, err := c.operator()
			if err != nil {
				return err
			}
			leader, err := op.WhoLeads(cmd.Context())
			if err != nil {
				return err
			}
			state, err := op.State(cmd.Context())
			if err != nil {
				return err
			}
			if c.json {
				return printJSON(c, []sdk.GetState{*state})
			}
			return printStatus(c, leader, state)
		},
	}
}

func printStatus(c *client, leader *sdk.MasterInfo, state *sdk.GetState) error {
	agents := &sdk.GetAgents{}
	if state.GetAgents != nil {
		agents = state.GetAgents
	}
	active := 0
	for _, a := range agents.Agents {
		if a.Active {
			active++
		}
	}
	verdict := "healthy"
	switch {
	case len(agents.Agents) == 0:
		verdict = "no agent has registered: nothing can run"
	case active < len(agents.Agents):
		verdict = fmt.Sprintf("%d of %d agents do not answer", len(agents.Agents)-active, len(agents.Agents))
	}
	out := c.io.out
	fmt.Fprintf(out, "cluster   %s\n", verdict)
	fmt.Fprintf(out, "leader    %s:%d (%s)\n", leader.Hostname, leader.Port, leader.Version)
	fmt.Fprintf(out, "agents    %d of %d\n", active, len(agents.Agents))
	fmt.Fprintf(out, "tasks     %d running, %d ended\n", len(allTasks(state.GetTasks, false)), len(allTasks(state.GetTasks, true))-len(allTasks(state.GetTasks, false)))
	for _, name := range []string{"cpus", "mem", "disk"} {
		fmt.Fprintf(out, "%-9s %s\n", name, fullness(agents.Agents, name))
	}
	printFailed(c, state.GetTasks)
	return nil
}

// fullness is how much of a resource is in use, over all agents.
func fullness(agents []sdk.AgentState, name string) string {
	var used, offered, total float64
	for _, a := range agents {
		if !a.Active {
			continue // what does not answer offers nothing
		}
		total += sdk.Resources(a.TotalResources).Scalar(name)
		used += sdk.Resources(a.AllocatedResources).Scalar(name)
		offered += sdk.Resources(a.OfferedResources).Scalar(name)
	}
	if total == 0 {
		return "none"
	}
	return fmt.Sprintf("%g of %g in use (%.0f %%), %g offered", used, total, 100*used/total, offered)
}

// printFailed shows the newest tasks that did not end well.
func printFailed(c *client, tasks *sdk.GetTasks) {
	var failed []sdk.Task
	for _, t := range allTasks(tasks, true) {
		switch t.State {
		case sdk.TaskFailed, sdk.TaskLost, sdk.TaskError, sdk.TaskDropped, sdk.TaskGone, sdk.TaskUnreachable:
			failed = append(failed, t)
		}
	}
	if len(failed) == 0 {
		return
	}
	slices.SortFunc(failed, func(a, b sdk.Task) int { return int(lastStatus(b).Timestamp - lastStatus(a).Timestamp) })
	fmt.Fprintln(c.io.out, "failed lately")
	var rows [][]string
	for _, t := range failed[:min(len(failed), lately)] {
		s := lastStatus(t)
		why := strings.TrimSpace(strings.TrimPrefix(string(s.Reason), "REASON_") + " " + s.Message)
		rows = append(rows, []string{"  " + string(t.TaskID), taskState(t.State), since(t), why})
	}
	_ = table(c.io.out, []string{"  TASK", "STATE", "SINCE", "WHY"}, rows)
}

func lastStatus(t sdk.Task) sdk.TaskStatus {
	if len(t.Statuses) == 0 {
		return sdk.TaskStatus{}
	}
	return t.Statuses[len(t.Statuses)-1]
}

// announce waits until the cluster of `up` serves: a leader, and every agent registered.
func announce(ctx context.Context, c *client, o up.Options, begin time.Time) {
	op, err := c.operator()
	for err == nil && ctx.Err() == nil {
		if n := registered(ctx, op); n >= o.Agents {
			fmt.Fprintf(c.io.err, "proffer is up after %.2f s: http://%s, %d agents; state and token in %s\n", time.Since(begin).Seconds(), c.addr, n, o.Dir)
			return
		}
		err = pause(ctx, 10*time.Millisecond)
	}
}

func registered(ctx context.Context, op *operator.Client) int {
	agents, err := op.Agents(ctx)
	if err != nil {
		return 0
	}
	n := 0
	for _, a := range agents.Agents {
		if a.Active {
			n++
		}
	}
	return n
}
