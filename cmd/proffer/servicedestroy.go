package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

func serviceDestroyCommand(c *client) *cobra.Command {
	o := changeFlags{force: true} // as Marathon: what cannot start can be destroyed
	var yes bool
	cmd := &cobra.Command{
		Use: "destroy SERVICE", Short: "End all instances of a service and forget it", Args: cobra.ExactArgs(1),
		Example: "  proffer service destroy web\n  proffer service destroy web --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, path, err := newRollout(c, o, args[0], "destroy /"+short(args[0]))
			if err != nil {
				return err
			}
			if !yes {
				if err := r.confirm(cmd.Context(), path); err != nil {
					return err
				}
			}
			return r.run(cmd.Context(), func(ctx context.Context) (change, error) {
				return r.s.changed(ctx, "destroy service", http.MethodDelete, path+o.query(), nil)
			})
		},
		ValidArgsFunction: completeServices(c),
	}
	o.registerWait(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// confirm asks a person; whoever is none must say --yes.
func (r *rollout) confirm(ctx context.Context, path string) error {
	return r.c.confirm(r.what+" ends all instances", func() (string, error) {
		v, err := readService(ctx, r.s, path)
		return fmt.Sprintf("destroy %s and end its %s?", v.app.ID, plural(len(v.app.Tasks), "instance")), err
	})
}

// confirm asks a person, and gives an error unless the answer is yes. What is done is for
// whoever is no person.
func (c *client) confirm(what string, question func() (string, error)) error {
	if width(c.io.in) == 0 {
		return usagef("%s: say --yes, because nobody can be asked here", what)
	}
	text, err := question()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.io.err, "%s [y/N] ", text)
	answer, _ := bufio.NewReader(c.io.in).ReadString('\n')
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return exitCode(exitFailure)
	}
	return nil
}
