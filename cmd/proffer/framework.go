package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

func frameworkCommand(c *client) *cobra.Command {
	cmd := &cobra.Command{Use: "framework", Short: "Frameworks: list, teardown", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	var all bool
	list := &cobra.Command{
		Use: "list", Short: "List the frameworks", Args: cobra.NoArgs,
		Example: "  proffer framework list",
		RunE:    func(cmd *cobra.Command, _ []string) error { return listFrameworks(cmd, c, all) },
	}
	list.Flags().BoolVarP(&all, "all", "a", false, "frameworks that have ended too")
	teardown := &cobra.Command{
		Use: "teardown FRAMEWORK", Short: "Kill everything that a framework runs, and forget it", Args: cobra.ExactArgs(1),
		Example: "  proffer framework teardown FRAMEWORK",
		RunE: func(cmd *cobra.Command, args []string) error {
			op, err := c.operator()
			if err != nil {
				return err
			}
			id, err := findFramework(cmd.Context(), op, args[0])
			if err != nil {
				return err
			}
			if err := op.Teardown(cmd.Context(), id); err != nil || !c.json {
				return err
			}
			return c.printObject(struct {
				ID sdk.FrameworkID `json:"framework_id"`
			}{id})
		},
	}
	cmd.AddCommand(list, teardown)
	return cmd
}

// findFramework finds a framework by its id, or by the beginning or end of it when that
// fits only one.
func findFramework(ctx context.Context, op *operator.Client, id string) (sdk.FrameworkID, error) {
	all, err := op.Frameworks(ctx)
	if err != nil {
		return "", err
	}
	var fits []sdk.FrameworkID
	for _, f := range all.Frameworks {
		switch known := string(f.FrameworkInfo.ID); {
		case known == id:
			return f.FrameworkInfo.ID, nil
		case strings.HasPrefix(known, id), strings.HasSuffix(known, id):
			fits = append(fits, f.FrameworkInfo.ID)
		}
	}
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		return "", sdk.Errorf(sdk.CodeNotFound, "", "no framework is called %s; `proffer framework list` lists them", id)
	}
	return "", usagef("%s fits %d frameworks; give the whole id", id, len(fits))
}

func listFrameworks(cmd *cobra.Command, c *client, all bool) error {
	op, err := c.operator()
	if err != nil {
		return err
	}
	state, err := op.State(cmd.Context())
	if err != nil {
		return err
	}
	var frameworks []sdk.FrameworkState
	if state.GetFrameworks != nil {
		frameworks = state.GetFrameworks.Frameworks
		if all {
			frameworks = append(frameworks, state.GetFrameworks.CompletedFrameworks...)
		}
	}
	if c.json {
		return printJSON(c, frameworks)
	}
	running := map[sdk.FrameworkID]int{}
	for _, t := range allTasks(state.GetTasks, false) {
		running[t.FrameworkID]++
	}
	var rows [][]string
	for _, f := range frameworks {
		i := f.FrameworkInfo
		roles := i.Roles
		if len(roles) == 0 {
			roles = []string{i.Role}
		}
		rows = append(rows, []string{string(i.ID), i.Name, frameworkStateOf(f), strings.Join(roles, ","), i.Principal,
			fmt.Sprint(running[i.ID]), amount(f.AllocatedResources, "cpus"), amount(f.AllocatedResources, "mem")})
	}
	return table(c.io.out, []string{"FRAMEWORK", "NAME", "STATE", "ROLES", "PRINCIPAL", "TASKS", "CPUS", "MEM"}, rows)
}

func frameworkStateOf(f sdk.FrameworkState) string {
	switch {
	case f.UnregisteredTime != nil && !f.Connected && !f.Active && f.Recovered:
		return "recovered"
	case f.Active:
		return "active"
	case f.Connected:
		return "connected"
	}
	return "disconnected"
}
