package main

import (
	"time"

	"github.com/spf13/cobra"
)

func serviceCommand(c *client) *cobra.Command {
	cmd := &cobra.Command{Use: "service", Short: "Services, which marathonish keeps running: deploy, list, get, logs, scale, restart, events, destroy", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(
		serviceDeployCommand(c), serviceListCommand(c), serviceGetCommand(c), serviceLogsCommand(c),
		serviceScaleCommand(c), serviceRestartCommand(c), serviceEventsCommand(c), serviceDestroyCommand(c),
	)
	return cmd
}

// changeFlags are what every command takes that makes a deployment.
type changeFlags struct {
	force   bool
	detach  bool
	timeout time.Duration
}

func (o *changeFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.force, "force", false, "cancel a deployment of the service that is under way")
	o.registerWait(cmd)
}

func (o *changeFlags) registerWait(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVarP(&o.detach, "detach", "d", false, "print the deployment's id and do not wait for it")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long to wait for the deployment, which goes on afterwards (0: for ever)")
}

// query is what the flags add to a call's URL.
func (o *changeFlags) query() string {
	if o.force {
		return "?force=true"
	}
	return "?force=false" // said, because a DELETE forces unless it is told not to
}

// completeServices completes the ids of the services.
func completeServices(c *client) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		s, err := c.services()
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		s.patience = completionTime
		s.talk = nil
		var list appList
		if err := s.get(cmd.Context(), "list services", "/v2/apps", &list); err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []string
		for _, a := range list.Apps {
			out = append(out, fitting(a.ID, word)...)
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}
