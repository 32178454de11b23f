package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func serviceDeployCommand(c *client) *cobra.Command {
	var o changeFlags
	cmd := &cobra.Command{
		Use: "deploy FILE…", Short: "Create or update services from files, Marathon's JSON or the same as YAML (- for the input)", Args: cobra.MinimumNArgs(1),
		Long: "deploy makes services what the files say, creates those that are not there, and shows how the\n" +
			"instances come up. What a file does not say is at its default. Several services, in one file as a\n" +
			"list or in several files, are one deployment.",
		Example: "  proffer service deploy web.json\n  proffer service deploy --detach web.yaml db.yaml\n  sed s/v1/v2/ web.yaml | proffer service deploy -",
		RunE: func(cmd *cobra.Command, args []string) error {
			docs, err := readApps(args, c.io.in)
			if err != nil {
				return usageError{err}
			}
			return deploy(cmd.Context(), c, o, docs)
		},
	}
	o.register(cmd)
	return cmd
}

// deploy puts the definitions as they are: one by its own URL, several as one change.
func deploy(ctx context.Context, c *client, o changeFlags, docs []appDocument) error {
	var ids []string
	bodies := make([]json.RawMessage, len(docs))
	for i, d := range docs {
		ids = append(ids, "/"+short(d.id))
		bodies[i] = d.body
	}
	r, path, err := newRollout(c, o, ids[0], "deploy "+strings.Join(ids, ", "))
	if err != nil {
		return err
	}
	r.ids = ids
	body := []byte(bodies[0])
	if len(docs) > 1 {
		path = "/v2/apps"
		if body, err = json.Marshal(bodies); err != nil {
			return err
		}
	}
	return r.run(ctx, func(ctx context.Context) (change, error) {
		// The file is the whole truth: what it does not say is not kept from before.
		return r.s.put(ctx, "deploy", path+o.query()+"&partialUpdate=false", body)
	})
}

// newRollout is the change of one service, and the service's path.
func newRollout(c *client, o changeFlags, id, what string) (*rollout, string, error) {
	if o.timeout < 0 {
		return nil, "", usagef("--timeout %s: a time of zero or more is expected", o.timeout)
	}
	path, err := servicePath(id)
	if err != nil {
		return nil, "", err
	}
	s, err := c.services()
	if err != nil {
		return nil, "", err
	}
	return &rollout{c: c, s: s, o: o, ids: []string{"/" + short(id)}, what: what}, path, nil
}

// readApps reads every definition of the files, in their order; each service once.
func readApps(files []string, in io.Reader) ([]appDocument, error) {
	var out []appDocument
	seen := map[string]string{}
	for _, name := range files {
		data, err := readBounded(name, in)
		if err != nil {
			return nil, err
		}
		docs, err := parseApps(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, d := range docs {
			if other, twice := seen[short(d.id)]; twice {
				return nil, fmt.Errorf("%s defines /%s, which %s defines too", name, short(d.id), other)
			}
			seen[short(d.id)] = name
		}
		out = append(out, docs...)
	}
	return out, nil
}
