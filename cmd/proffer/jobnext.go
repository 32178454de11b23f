package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

func jobNextCommand(c *client) *cobra.Command {
	var count int
	cmd := &cobra.Command{
		Use: "next JOB", Short: "Print when a job will run next, in UTC", Args: cobra.ExactArgs(1),
		Example: "  proffer job next report\n  proffer job next report --count 3",
		RunE: func(cmd *cobra.Command, args []string) error {
			const most = 1000 // that chronosish gives
			if count < 1 || count > most {
				return usagef("--count %d: a number from 1 to %d is expected", count, most)
			}
			path, err := jobPath("/v2/jobs/", args[0], fmt.Sprintf("/next?count=%d", count))
			if err != nil {
				return err
			}
			j, err := c.jobs()
			if err != nil {
				return err
			}
			var raw json.RawMessage
			if err := j.named(cmd.Context(), "get next runs", http.MethodGet, path, nil, &raw); err != nil {
				return err
			}
			if c.json {
				return c.printObject(raw)
			}
			var d struct {
				Next    []string `json:"next"`
				Parents []string `json:"parents"`
			}
			if err := json.Unmarshal(raw, &d); err != nil {
				return err
			}
			for _, at := range d.Next {
				fmt.Fprintln(c.io.out, at)
			}
			switch {
			case len(d.Parents) > 0:
				fmt.Fprintf(c.io.err, "%s runs after %s, at no time of its own\n", shown(args[0]), shown(strings.Join(d.Parents, ", ")))
			case len(d.Next) == 0:
				var one job
				if err := j.job(cmd.Context(), args[0], &one); err != nil {
					return err
				}
				fmt.Fprintf(c.io.err, "%s %s; `proffer job run %[1]s` runs it now\n", shown(args[0]), one.still())
			}
			return nil
		},
		ValidArgsFunction: completeJobs(c),
	}
	cmd.Flags().IntVarP(&count, "count", "n", 10, "so many")
	return cmd
}

// still says why a job will not run by itself.
func (j *job) still() string {
	if off(j.Schedule) == "ended" {
		return "will not run by itself: its schedule has no repetition left (" + shown(j.Schedule) + ")"
	}
	return "will not run by itself: it is disabled"
}
