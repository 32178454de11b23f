package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

func serviceListCommand(c *client) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the services", Args: cobra.NoArgs,
		Example: "  proffer service list\n  proffer service list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.services()
			if err != nil {
				return err
			}
			const path = "/v2/apps?embed=apps.counts&embed=apps.deployments&embed=why"
			if c.json {
				var list struct {
					Apps json.RawMessage `json:"apps"`
				}
				if err := s.get(cmd.Context(), "list services", path, &list); err != nil {
					return err
				}
				return c.printObject(list.Apps)
			}
			var list appList
			var q queue
			if err := s.get(cmd.Context(), "list services", path, &list); err != nil {
				return err
			}
			if err := s.get(cmd.Context(), "list queue", "/v2/queue?embed=why", &q); err != nil {
				return err
			}
			return table(c.io.out, []string{"SERVICE", "STATE", "RUNNING", "HEALTHY", "CPUS", "MEM", "CHANGED", "WHY"}, serviceRows(list.Apps, q))
		},
	}
}

// serviceRows are the rows of `service list`.
func serviceRows(apps []app, q queue) [][]string {
	var rows [][]string
	for _, a := range apps {
		healthy, why := "", ""
		if len(a.HealthChecks) > 0 {
			healthy = fmt.Sprint(a.Healthy)
		}
		if w := a.waits(q); len(w) > 0 {
			why = w[0]
		}
		rows = append(rows, []string{a.ID, a.state(q), fmt.Sprintf("%d/%d", a.Running, a.Instances), healthy,
			fmt.Sprintf("%g", a.CPUs), fmt.Sprintf("%g", a.Mem), age(moment(a.Version)), why})
	}
	return rows
}

// state is how a service stands, in one word.
func (a *app) state(q queue) string {
	switch {
	case a.queued(q):
		return "waiting"
	case len(a.Deployments) > 0:
		return "deploying"
	case a.Instances == 0:
		return "suspended"
	case a.Running < a.Instances:
		return "starting"
	case a.Unhealthy > 0:
		return "unhealthy"
	case len(a.HealthChecks) > 0 && a.Healthy < a.Instances:
		return "unchecked"
	}
	return "running"
}
