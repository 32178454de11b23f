package main
import "github.com/spf13/cobra"
func serviceLogsCommand(c *client) *cobra.Command { return &cobra.Command{Use:"logs"} }
