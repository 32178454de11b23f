package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/kernel/agent/fetch"
)

// fetchCommand is the fetcher's process, which an agent starts as a task's user.
func fetchCommand(io stdio) *cobra.Command {
	return &cobra.Command{
		Use: "agent-fetch", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fetch.Main(cmd.Context(), io.in); err != nil {
				fmt.Fprintln(io.out, err)
				return exitCode(exitFailure)
			}
			return nil
		},
	}
}
