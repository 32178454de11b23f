package main

import (
	"context"
	"net/http"

	"github.com/spf13/cobra"
)

func serviceRestartCommand(c *client) *cobra.Command {
	var o changeFlags
	cmd := &cobra.Command{
		Use: "restart SERVICE", Short: "Replace all instances of a service, as its upgrade strategy allows", Args: cobra.ExactArgs(1),
		Example: "  proffer service restart web",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, path, err := newRollout(c, o, args[0], "restart /"+short(args[0]))
			if err != nil {
				return err
			}
			return r.run(cmd.Context(), func(ctx context.Context) (change, error) {
				return r.s.changed(ctx, "restart service", http.MethodPost, path+"/restart"+o.query(), []byte("{}"))
			})
		},
		ValidArgsFunction: completeServices(c),
	}
	o.register(cmd)
	return cmd
}
