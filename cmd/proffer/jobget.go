package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func jobGetCommand(c *client) *cobra.Command {
	return &cobra.Command{
		Use: "get JOB", Short: "How a job stands: its schedule or parents, what goes on, its last runs", Args: cobra.ExactArgs(1),
		Example: "  proffer job get report\n  proffer job get report --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := c.jobs()
			if err != nil {
				return err
			}
			if c.json {
				var raw json.RawMessage
				if err := j.job(cmd.Context(), args[0], &raw); err != nil {
					return err
				}
				return c.printObject(raw)
			}
			var one job
			if err := j.job(cmd.Context(), args[0], &one); err != nil {
				return err
			}
			const lastRuns = 5
			var h jobHistory
			if err := j.history(cmd.Context(), args[0], lastRuns, 0, &h); err != nil {
				return err
			}
			return one.print(c, &h)
		},
		ValidArgsFunction: completeJobs(c),
	}
}

// print is `job get` for people.
func (j *job) print(c *client, h *jobHistory) error {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(c.io.out, "%-12s %s\n", name, shown(fmt.Sprintf(format, args...)))
	}
	row("job", "%s", j.Name)
	row("state", "%s", j.state(h))
	if h.Waits != "" {
		row("why", "%s", h.Waits)
	}
	row("when", "%s", strings.TrimSpace(when(j.Schedule, j.Parents)+" "+j.Zone))
	if j.Command != "" || len(j.Arguments) > 0 {
		row("command", "%s", strings.TrimSpace(firstLine(j.Command)+" "+strings.Join(j.Arguments, " ")))
	}
	row("each", "%g cpus, %g MiB, %d retries", j.CPUs, j.Mem, j.Retries)
	if j.Epsilon != "" {
		row("epsilon", "%s", j.Epsilon)
	}
	row("succeeded", "%s", times(j.Successes, j.LastSuccess))
	row("failed", "%s", times(j.Errors, j.LastError))
	rows := h.rows()
	if len(rows) == 0 {
		return nil
	}
	for i, r := range rows { // the rest is `job history`
		rows[i] = []string{r[0], r[1], r[3], r[4], r[6], r[9]}
	}
	return table(c.io.out, []string{"SLOT", "ATTEMPT", "OUTCOME", "EXIT", "TOOK", "WHY"}, rows)
}

// state is how a job stands, in a word or two.
func (j *job) state(h *jobHistory) string {
	going := 0
	for _, r := range h.Runs {
		if r.TaskID != "" {
			going++
		}
	}
	switch {
	case going > 0:
		return fmt.Sprintf("%d running", going)
	case len(h.Runs) > 0:
		return "waiting"
	case j.Disabled:
		return off(j.Schedule)
	}
	return "idle"
}

// times says how often, and when last.
func times(n int64, last string) string {
	if last == "" {
		return plural(int(n), "time")
	}
	return fmt.Sprintf("%s, last at %s", plural(int(n), "time"), last)
}
