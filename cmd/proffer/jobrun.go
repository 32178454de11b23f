package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
)

func jobRunCommand(c *client) *cobra.Command {
	return &cobra.Command{
		Use: "run JOB", Short: "Run a job now, also one that is disabled; its schedule goes on as before", Args: cobra.ExactArgs(1),
		Example: "  proffer job run report\n  proffer job logs -f report",
		RunE: func(cmd *cobra.Command, args []string) error {
			j, path, err := c.jobAt(args[0])
			if err != nil {
				return err
			}
			if err := j.named(cmd.Context(), "run job", http.MethodPut, path, nil, nil); err != nil {
				return err
			}
			fmt.Fprintf(c.io.err, "%s is to run now; `proffer job logs -f %[1]s` shows it\n", shown(args[0]))
			return nil
		},
		ValidArgsFunction: completeJobs(c),
	}
}

// jobAt is chronosish with the path of a job.
func (c *client) jobAt(name string) (*jobs, string, error) {
	path, err := jobPath(chronosBase+"/job/", name, "")
	if err != nil {
		return nil, "", err
	}
	j, err := c.jobs()
	return j, path, err
}
