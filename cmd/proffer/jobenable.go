package main

import "github.com/spf13/cobra"

func jobEnableCommand(c *client) *cobra.Command {
	return &cobra.Command{
		Use: "enable JOB", Short: "Let a job run by its schedule or after its parents again", Args: cobra.ExactArgs(1),
		Example:           "  proffer job enable report",
		RunE:              func(cmd *cobra.Command, args []string) error { return c.switchJob(cmd.Context(), args[0], false) },
		ValidArgsFunction: completeJobs(c),
	}
}
