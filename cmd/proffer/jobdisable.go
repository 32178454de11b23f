package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
)

func jobDisableCommand(c *client) *cobra.Command {
	return &cobra.Command{
		Use: "disable JOB", Short: "Let a job run no more until it is enabled; what has begun goes on", Args: cobra.ExactArgs(1),
		Long: "disable lets no slot of a job start, nor its parents start it, and skips what waits to. A run that\n" +
			"has begun goes on to its last retry; `proffer job run` runs the job all the same.",
		Example:           "  proffer job disable report",
		RunE:              func(cmd *cobra.Command, args []string) error { return c.switchJob(cmd.Context(), args[0], true) },
		ValidArgsFunction: completeJobs(c),
	}
}

// switchJob disables or enables a job. Chronos has no route for that; chronosish's own
// changes nothing else, whatever others change meanwhile.
func (c *client) switchJob(ctx context.Context, name string, off bool) error {
	path, err := jobPath("/v2/jobs/", name, "")
	if err != nil {
		return err
	}
	j, err := c.jobs()
	if err != nil {
		return err
	}
	op := map[bool]string{true: "disable job", false: "enable job"}[off]
	var now job
	if err := j.named(ctx, op, http.MethodPatch, path, fmt.Appendf(nil, `{"disabled":%t}`, off), &now); err != nil {
		return err
	}
	if now.Disabled && !off {
		return sdk.Errorf(sdk.CodeConflict, "", "the schedule of %s has ended (%s); create it anew with another one", shown(name), now.Schedule)
	}
	fmt.Fprintf(c.io.err, "%s is %s\n", shown(name), map[bool]string{true: "disabled; what has begun of it goes on", false: "enabled"}[off])
	return nil
}

// put stores a definition by the route for its kind.
func (j *jobs) put(ctx context.Context, op string, d jobDocument) error {
	body, err := json.Marshal(d.fields)
	if err != nil {
		return err
	}
	path := chronosBase + "/iso8601"
	if d.dependent() {
		path = chronosBase + "/dependency"
	}
	return j.call(ctx, op, http.MethodPost, path, body, nil)
}
