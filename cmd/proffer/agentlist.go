package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
)

func agentListCommand(c *client) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the agents: what they have, and what they keep for launcher and executors", Args: cobra.NoArgs,
		Example: "  proffer agent list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			op, err := c.operator()
			if err != nil {
				return err
			}
			state, err := op.State(cmd.Context())
			if err != nil {
				return err
			}
			agents := state.GetAgents
			if agents == nil {
				agents = &sdk.GetAgents{}
			}
			slices.SortFunc(agents.Agents, func(a, b sdk.AgentState) int {
				return strings.Compare(string(a.AgentInfo.ID), string(b.AgentInfo.ID))
			})
			if c.json {
				return printJSON(c, agents.Agents)
			}
			running := map[sdk.AgentID]int{}
			for _, t := range allTasks(state.GetTasks, false) {
				running[t.AgentID]++
			}
			var rows [][]string
			for _, a := range agents.Agents {
				rows = append(rows, agentRow(a, running[a.AgentInfo.ID]))
			}
			for _, info := range agents.RecoveredAgents { // a new leader has not heard of them yet
				row := agentRow(sdk.AgentState{AgentInfo: info, TotalResources: info.Resources}, 0)
				row[2], row[3] = "awaited", "?"
				rows = append(rows, row)
			}
			return table(c.io.out, []string{"AGENT", "HOST", "STATE", "TASKS", "CPUS", "MEM", "DISK", "OTHER", "KEPT", "ATTRIBUTES"}, rows)
		},
	}
}

func agentRow(a sdk.AgentState, tasks int) []string {
	state := "active"
	switch {
	case a.UnreachableTime != nil:
		state = "unreachable"
	case a.DrainInfo != nil:
		state = strings.ToLower(string(a.DrainInfo.State))
	case a.Deactivated:
		state = "deactivated"
	case !a.Active:
		state = "unreachable"
	}
	share := func(name string) string {
		return amount(a.AllocatedResources, name) + "/" + amount(a.TotalResources, name)
	}
	var other []sdk.Resource
	for _, r := range a.TotalResources {
		if r.Name != "cpus" && r.Name != "mem" && r.Name != "disk" {
			other = append(other, r)
		}
	}
	return []string{string(a.AgentInfo.ID), fmt.Sprintf("%s:%d", a.AgentInfo.Hostname, a.AgentInfo.Port), state, fmt.Sprint(tasks),
		share("cpus"), share("mem"), share("disk"), sdk.Resources(other).String(), sdk.Resources(a.AgentInfo.Overhead).String(), sdk.FormatAttributes(a.AgentInfo.Attributes)}
}
