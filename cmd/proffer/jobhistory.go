package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// jobHistory is what chronosish knows of a job's runs.
type jobHistory struct {
	Runs    []jobRun    `json:"runs"`    // that wait or go on, the oldest first
	History []jobRecord `json:"history"` // newest first
	Waits   string      `json:"waits"`
}

type jobRun struct {
	Cause     string `json:"cause"`
	Nominal   string `json:"nominal"`
	Attempt   int    `json:"attempt"`
	TaskID    string `json:"taskId"` // "" while it waits
	AgentID   string `json:"agentId"`
	Host      string `json:"host"`
	State     string `json:"state"`
	Started   string `json:"started"`
	NotBefore string `json:"notBefore"`
	LostSince string `json:"lostSince"`
	Ending    string `json:"ending"`

	Output *jobTail `json:"output"`
}

type jobRecord struct {
	Cause      string `json:"cause"`
	Nominal    string `json:"nominal"`
	Attempt    int    `json:"attempt"`
	Outcome    string `json:"outcome"`
	Reason     string `json:"reason"`
	TaskID     string `json:"taskId"`
	AgentID    string `json:"agentId"`
	Host       string `json:"host"`
	Started    string `json:"started"`
	Ended      string `json:"ended"`
	ExitStatus *int   `json:"exitStatus"`
	Signal     *int   `json:"signal"`
	Slots      int64  `json:"slots"`

	Output *jobTail `json:"output"`
}

func jobHistoryCommand(c *client) *cobra.Command {
	var limit, tail int
	cmd := &cobra.Command{
		Use: "history JOB", Short: "What goes on of a job and what is past, newest first: attempts, and slots that were skipped", Args: cobra.ExactArgs(1),
		Long: "history lists what goes on of a job and what is past. With --tail it also prints the end of what the\n" +
			"last run wrote, and of those before it that failed, as long as their agents keep their sandboxes.",
		Example: "  proffer job history report\n  proffer job history report --tail\n  proffer job history report --limit 5 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case limit < 0:
				return usagef("--limit %d: a number of zero or more is expected", limit)
			case tail < 0 || tail > mostTail:
				return usagef("--tail=%d: a number of bytes from 0 to %d is expected", tail, mostTail)
			}
			j, err := c.jobs()
			if err != nil {
				return err
			}
			if c.json {
				var raw json.RawMessage
				if err := j.history(cmd.Context(), args[0], limit, tail, &raw); err != nil {
					return err
				}
				return c.printObject(raw)
			}
			var h jobHistory
			if err := j.history(cmd.Context(), args[0], limit, tail, &h); err != nil {
				return err
			}
			if len(h.Runs)+len(h.History) == 0 {
				fmt.Fprintf(c.io.err, "%s has not run yet; `proffer job next %[1]s` says when it will, `proffer job run %[1]s` runs it now\n", shown(args[0]))
				return nil
			}
			if err := table(c.io.out, []string{"SLOT", "ATTEMPT", "CAUSE", "OUTCOME", "EXIT", "STARTED", "TOOK", "HOST", "TASK", "WHY"}, h.rows()); err != nil {
				return err
			}
			return h.printTails(c.io.out)
		},
		ValidArgsFunction: completeJobs(c),
	}
	f := cmd.Flags()
	f.IntVarP(&limit, "limit", "n", 100, "at most so many of what is past")
	f.IntVar(&tail, "tail", 0, "also the last bytes of what the last run and those that failed wrote")
	f.Lookup("tail").NoOptDefVal = "2048"
	return cmd
}

func (j *jobs) history(ctx context.Context, name string, limit, tail int, into any) error {
	query := fmt.Sprintf("/history?limit=%d", limit)
	if tail > 0 {
		query += fmt.Sprintf("&tail=%d", tail)
	}
	path, err := jobPath("/v2/jobs/", name, query)
	if err != nil {
		return err
	}
	return j.named(ctx, "get history", http.MethodGet, path, nil, into)
}

// rows are the lines of `job history`.
func (h *jobHistory) rows() [][]string {
	var rows [][]string
	for _, r := range slices.Backward(h.Runs) {
		outcome, why, took := taskWord(r.State), r.Ending, ""
		switch {
		case r.TaskID == "":
			outcome, why = "waiting", h.Waits
			if r.NotBefore != "" && time.Until(moment(r.NotBefore)) > 0 {
				why = "tried again from " + r.NotBefore + " on"
			}
		case r.LostSince != "":
			outcome, why = "lost", "not heard of since "+r.LostSince
		}
		if r.Started != "" {
			took = age(moment(r.Started))
		}
		rows = append(rows, []string{r.Nominal, fmt.Sprint(r.Attempt), r.Cause, outcome, "", r.Started, took, r.Host, r.TaskID, why})
	}
	for _, r := range h.History {
		attempt := fmt.Sprint(r.Attempt)
		if r.TaskID == "" {
			attempt = "" // of slots that were skipped there was none
		}
		rows = append(rows, []string{r.Nominal, attempt, r.Cause, r.outcome(), r.exit(), r.Started, r.took(), r.Host, r.TaskID, firstLine(r.Reason)})
	}
	return rows
}

func (r *jobRecord) outcome() string {
	word := strings.ReplaceAll(strings.ToLower(r.Outcome), "timedout", "timed out")
	switch {
	case r.Slots > 1:
		return fmt.Sprintf("%s %d slots", word, r.Slots)
	case r.Slots < 0:
		return word + " very many slots"
	}
	return word
}

// exit is how the process ended, where it is known.
func (r *jobRecord) exit() string {
	switch {
	case r.ExitStatus != nil:
		return fmt.Sprint(*r.ExitStatus)
	case r.Signal != nil:
		return fmt.Sprintf("signal %d", *r.Signal)
	}
	return ""
}

// took is how long the attempt ran, where both ends are known.
func (r *jobRecord) took() string {
	if r.Started == "" || r.Ended == "" {
		return ""
	}
	return moment(r.Ended).Sub(moment(r.Started)).Round(time.Millisecond).String()
}
