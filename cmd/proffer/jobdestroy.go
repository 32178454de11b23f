package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
)

func jobDestroyCommand(c *client) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "destroy JOB", Short: "End what runs of a job and forget it, with its history", Args: cobra.ExactArgs(1),
		Long:    "destroy ends what runs of a job and forgets it. Jobs that run after it get its parents, or its\nschedule.",
		Example: "  proffer job destroy report\n  proffer job destroy report --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			j, path, err := c.jobAt(args[0])
			if err != nil {
				return err
			}
			if !yes {
				err := c.confirm("destroy "+shown(args[0])+" ends what runs of it", func() (string, error) {
					return fmt.Sprintf("destroy %s, with its history?", shown(args[0])), j.named(cmd.Context(), "get job", http.MethodGet, path, nil, nil)
				})
				if err != nil {
					return err
				}
			}
			return j.named(cmd.Context(), "destroy job", http.MethodDelete, path, nil, nil)
		},
		ValidArgsFunction: completeJobs(c),
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}
