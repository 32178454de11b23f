package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
)

func serviceScaleCommand(c *client) *cobra.Command {
	var o changeFlags
	cmd := &cobra.Command{
		Use: "scale SERVICE N", Short: "Run N instances of a service", Args: cobra.ExactArgs(2),
		Example: "  proffer service scale web 5",
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.Atoi(args[1])
			if err != nil || n < 0 {
				return usagef("%q is no number of instances: a whole number of zero or more is expected", args[1])
			}
			body, err := json.Marshal(map[string]int{"instances": n})
			if err != nil {
				return err
			}
			r, path, err := newRollout(c, o, args[0], fmt.Sprintf("scale /%s to %d", short(args[0]), n))
			if err != nil {
				return err
			}
			return r.run(cmd.Context(), func(ctx context.Context) (change, error) {
				return r.s.put(ctx, "scale service", path+o.query(), body)
			})
		},
		ValidArgsFunction: completeServices(c),
	}
	o.register(cmd)
	return cmd
}
