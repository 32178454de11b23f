package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/kernel/up"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

// lately is how many failed tasks, and how many notices, `status` shows.
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
			release, err := op.Version(cmd.Context())
			if err != nil {
				return err
			}
			started, err := op.Boot(cmd.Context())
			if err != nil {
				return err
			}
			st := statusOf(leader, release.Version, state)
			st.Boot = bootLines(started)
			if c.json {
				return c.printObject(st)
			}
			return st.print(c)
		},
	}
}

// clusterStatus is the answer of `status`.
type clusterStatus struct {
	Healthy bool   `json:"healthy"`
	Why     string `json:"why,omitempty"` // what is wrong
	Leader  string `json:"leader"`        // host:port
	Version string `json:"version"`       // of the leader
	Agents  int    `json:"agents"`        // that the cluster knows
	Active  int    `json:"active_agents"` // that answer
	// Deactivated are the agents that answer and of which an operator lets nothing be offered.
	Deactivated int                 `json:"deactivated_agents,omitempty"`
	Running     int                 `json:"running_tasks"`
	Ended       int                 `json:"ended_tasks"`
	Resources   map[string]fullness `json:"resources"`
	Boot        []string            `json:"boot,omitempty"`    // how much of what the cluster starts by itself runs, and what the rest waits for
	Notices     []string            `json:"notices,omitempty"` // what the cluster waits for, or will do soon
	Failed      []failure           `json:"failed"`            // the newest first
}

// fullness is how much of a scalar resource the active agents have, and what of it is used.
type fullness struct {
	Total float64 `json:"total"`
	Used  float64 `json:"used"`
}

// thousandths rounds to what amounts of resources are kept in.
func thousandths(v float64) float64 { return math.Round(v*1000) / 1000 }

// failure is a task that did not end well.
type failure struct {
	Task  sdk.TaskID `json:"task_id"`
	State string     `json:"state"`
	Since string     `json:"since"`
	Why   string     `json:"why"`
}

func statusOf(leader *sdk.MasterInfo, release string, state *sdk.GetState) clusterStatus {
	st := clusterStatus{Healthy: true, Leader: fmt.Sprintf("%s:%d", leader.Hostname, leader.Port), Version: release,
		Resources: map[string]fullness{}, Failed: failed(state.GetTasks)}
	if state.GetAgents != nil {
		st.Agents = len(state.GetAgents.Agents)
		for _, a := range state.GetAgents.Agents {
			if a.Deactivated && a.UnreachableTime == nil {
				st.Deactivated++
			}
			if !a.Active {
				continue // what does not answer offers nothing
			}
			st.Active++
			for _, name := range []string{"cpus", "mem", "disk"} {
				f := st.Resources[name]
				f.Total = thousandths(f.Total + sdk.Resources(a.TotalResources).Scalar(name))
				f.Used = thousandths(f.Used + sdk.Resources(a.AllocatedResources).Scalar(name))
				st.Resources[name] = f
			}
		}
	}
	switch {
	case st.Agents == 0:
		st.Healthy, st.Why = false, "no agent has registered: nothing can run"
	case st.Active+st.Deactivated < st.Agents:
		st.Healthy, st.Why = false, fmt.Sprintf("%d of %d agents do not answer", st.Agents-st.Active-st.Deactivated, st.Agents)
	}
	for _, n := range state.Notices {
		st.Notices = append(st.Notices, n.Message)
	}
	st.Running = len(allTasks(state.GetTasks, false))
	st.Ended = len(allTasks(state.GetTasks, true)) - st.Running
	return st
}

func (st clusterStatus) print(c *client) error {
	verdict := "healthy"
	if !st.Healthy {
		verdict = st.Why
	}
	out := c.io.out
	fmt.Fprintf(out, "cluster   %s\n", verdict)
	fmt.Fprintf(out, "leader    %s (%s)\n", st.Leader, st.Version)
	fmt.Fprintf(out, "agents    %d of %d", st.Active, st.Agents)
	if st.Deactivated > 0 {
		fmt.Fprintf(out, ", %d deactivated", st.Deactivated)
	}
	fmt.Fprintln(out)
	for _, n := range st.Notices[:min(len(st.Notices), lately)] {
		fmt.Fprintf(out, "notice    %s\n", n)
	}
	if more := len(st.Notices) - lately; more > 0 {
		fmt.Fprintf(out, "notice    and %d more (proffer status --json)\n", more)
	}
	fmt.Fprintf(out, "tasks     %d running, %d ended\n", st.Running, st.Ended)
	for _, name := range []string{"cpus", "mem", "disk"} {
		if f := st.Resources[name]; f.Total > 0 {
			fmt.Fprintf(out, "%-9s %g of %g in use (%.0f %%)\n", name, f.Used, f.Total, 100*f.Used/f.Total)
		}
	}
	for i, line := range st.Boot {
		head := "boot"
		if i > 0 {
			head = ""
		}
		fmt.Fprintf(out, "%-9s %s\n", head, line)
	}
	if len(st.Failed) == 0 {
		return nil
	}
	fmt.Fprintln(out, "failed lately")
	var rows [][]string
	for _, f := range st.Failed {
		rows = append(rows, []string{"  " + string(f.Task), f.State, f.Since, f.Why})
	}
	return table(out, []string{"  TASK", "STATE", "SINCE", "WHY"}, rows)
}

// failed are the newest tasks that did not end well.
func failed(tasks *sdk.GetTasks) []failure {
	var bad []sdk.Task
	for _, t := range allTasks(tasks, true) {
		switch t.State {
		case sdk.TaskFailed, sdk.TaskLost, sdk.TaskError, sdk.TaskDropped, sdk.TaskGone, sdk.TaskUnreachable:
			bad = append(bad, t)
		}
	}
	slices.SortFunc(bad, func(a, b sdk.Task) int { return cmp.Compare(lastStatus(b).Timestamp, lastStatus(a).Timestamp) })
	out := []failure{}
	for _, t := range bad[:min(len(bad), lately)] {
		s := lastStatus(t)
		out = append(out, failure{t.TaskID, taskState(t.State), since(t), strings.TrimSpace(strings.TrimPrefix(string(s.Reason), "REASON_") + " " + s.Message)})
	}
	return out
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
