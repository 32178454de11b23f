package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
)

func psCommand(c *client) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "ps", Short: "List the tasks", Args: cobra.NoArgs,
		Example: "  proffer ps\n  proffer ps --all --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			op, err := c.operator()
			if err != nil {
				return err
			}
			state, err := op.State(cmd.Context())
			if err != nil {
				return err
			}
			tasks := allTasks(state.GetTasks, all)
			slices.SortFunc(tasks, func(a, b sdk.Task) int { return strings.Compare(string(a.TaskID), string(b.TaskID)) })
			if c.json {
				return printJSON(c, tasks)
			}
			hosts := hostnames(state.GetAgents)
			var rows [][]string
			for _, t := range tasks {
				rows = append(rows, []string{string(t.TaskID), t.Name, taskState(t.State), hosts[t.AgentID],
					amount(t.Resources, "cpus"), amount(t.Resources, "mem"), since(t), string(t.FrameworkID)})
			}
			return table(c.io.out, []string{"TASK", "NAME", "STATE", "AGENT", "CPUS", "MEM", "SINCE", "FRAMEWORK"}, rows)
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "tasks that have ended too")
	return cmd
}

func hostnames(agents *sdk.GetAgents) map[sdk.AgentID]string {
	out := map[sdk.AgentID]string{}
	if agents != nil {
		for _, a := range agents.Agents {
			out[a.AgentInfo.ID] = a.AgentInfo.Hostname
		}
	}
	return out
}

// taskState is a state as people say it: running, not TASK_RUNNING.
func taskState(s sdk.TaskState) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(string(s), "TASK_")), "_", " ")
}

// since is how long the task has been in its state.
func since(t sdk.Task) string {
	if len(t.Statuses) == 0 {
		return ""
	}
	at := t.Statuses[len(t.Statuses)-1].Timestamp
	return age(time.Unix(0, int64(at*1e9)))
}

// age is the time that has passed, as people say it.
func age(at time.Time) string {
	if at.Unix() <= 0 {
		return ""
	}
	d := time.Since(at)
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return d.Truncate(time.Second).String()
	case d < time.Hour:
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	default:
		return strings.TrimSuffix(d.Truncate(time.Hour).String(), "0m0s")
	}
}
