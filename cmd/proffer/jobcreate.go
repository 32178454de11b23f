package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

func jobCreateCommand(c *client) *cobra.Command {
	var files, env []string
	cmd := &cobra.Command{
		Use: "create FILE…", Short: "Create or replace jobs from files, Chronos's JSON or the same as YAML (- for the input)", Args: cobra.MinimumNArgs(1),
		Long: "create makes jobs what the files say, and replaces those that have their names. What a file does\n" +
			"not say is at its default. A job has a schedule or parents; parents are created before the jobs\n" +
			"that run after them. Nothing is sent before every file has been read.",
		Example: "  proffer job create report.json\n  proffer job create split.yaml count.yaml\n  proffer job create --file count.sh --env DIR=/srv/count count.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			docs, err := readJobs(args, c.io.in)
			if err != nil {
				return usageError{err}
			}
			if err := carry(docs, files); err != nil {
				return err
			}
			if err := equip(docs, env); err != nil {
				return err
			}
			j, err := c.jobs()
			if err != nil {
				return err
			}
			var stored []json.RawMessage
			for _, d := range parentsFirst(docs) {
				if err := j.put(cmd.Context(), "create "+shown(d.name), d); err != nil {
					return err
				}
				if !c.json {
					fmt.Fprintf(c.io.err, "%s is stored\n", shown(d.name))
					continue
				}
				var raw json.RawMessage
				if err := j.job(cmd.Context(), d.name, &raw); err != nil {
					return err
				}
				stored = append(stored, raw)
			}
			if c.json {
				return c.printObject(stored)
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&files, "file", nil, "a local file that travels inside each of the jobs, into the sandboxes of its runs; may be given again")
	cmd.Flags().StringArrayVarP(&env, "env", "e", nil, "KEY=VALUE for each of the jobs, instead of what the files say, or KEY to pass on our own; may be given again")
	return cmd
}
