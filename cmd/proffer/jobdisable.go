package main

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
)

func jobDisableCommand(c *client) *cobra.Command {
	return &cobra.Command{
		Use: "disable JOB", Short: "Let a job run no more until it is enabled; what runs goes on", Args: cobra.ExactArgs(1),
		Example:           "  proffer job disable report",
		RunE:              func(cmd *cobra.Command, args []string) error { return c.switchJob(cmd.Context(), args[0], true) },
		ValidArgsFunction: completeJobs(c),
	}
}

// switchJob disables or enables a job. Chronos has no route for that: the definition is sent
// back as it is shown, with its schedule, which goes on where it is.
func (c *client) switchJob(ctx context.Context, name string, off bool) error {
	j, err := c.jobs()
	if err != nil {
		return err
	}
	var d jobDocument
	if err := j.job(ctx, name, &d.fields); err != nil {
		return err
	}
	if d.fields["disabled"], err = json.Marshal(off); err != nil {
		return err
	}
	op := map[bool]string{true: "disable job", false: "enable job"}[off]
	if err := j.put(ctx, op, d); err != nil || off {
		return err
	}
	var now job
	if err := j.job(ctx, name, &now); err != nil {
		return err
	}
	if now.Disabled {
		return sdk.Errorf(sdk.CodeConflict, "", "the schedule of %s has ended (%s); create it anew with another one", shown(name), now.Schedule)
	}
	return nil
}

// put stores a definition by the route for its kind.
func (j *jobs) put(ctx context.Context, op string, d jobDocument) error {
	body, err := json.Marshal(d.fields)
	if err != nil {
		return err
	}
	path := chronosBase + "/iso8601"
	if len(d.parents()) > 0 {
		path = chronosBase + "/dependency"
	}
	return j.call(ctx, op, http.MethodPost, path, body, nil)
}
