package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
)

// jobSummary is Chronos's list of jobs with their states.
type jobSummary struct {
	Jobs []struct {
		Name     string   `json:"name"`
		Status   string   `json:"status"`
		State    string   `json:"state"`
		Schedule string   `json:"schedule"`
		Parents  []string `json:"parents"`
		Disabled bool     `json:"disabled"`
	} `json:"jobs"`
}

func jobListCommand(c *client) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the jobs", Args: cobra.NoArgs,
		Example: "  proffer job list\n  proffer job list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			j, err := c.jobs()
			if err != nil {
				return err
			}
			if c.json {
				var all json.RawMessage
				if err := j.get(cmd.Context(), "list jobs", chronosBase+"/jobs", &all); err != nil {
					return err
				}
				return c.printObject(all)
			}
			var list jobSummary
			if err := j.get(cmd.Context(), "list jobs", chronosBase+"/jobs/summary", &list); err != nil {
				return err
			}
			var rows [][]string
			for _, one := range list.Jobs {
				state := one.State
				if one.Disabled && state == "idle" {
					state = off(one.Schedule)
				}
				rows = append(rows, []string{one.Name, state, one.Status, when(one.Schedule, few(one.Parents))})
			}
			return table(c.io.out, []string{"JOB", "STATE", "LAST", "WHEN"}, rows)
		},
	}
}

// few are the first names of a long list, and how many more there are.
func few(names []string) []string {
	const most = 3
	if len(names) <= most+1 {
		return names
	}
	return append(slices.Clone(names[:most]), fmt.Sprintf("%d more", len(names)-most))
}
