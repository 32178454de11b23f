package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

func jobLogsCommand(c *client) *cobra.Command {
	var follow, stderr bool
	cmd := &cobra.Command{
		Use: "logs JOB", Short: "Print what a job's run that goes on has written, or else the one that has ended last", Args: cobra.ExactArgs(1),
		Long: "logs prints what the last run of a job has written. Those of before are `proffer logs TASK`, with\n" +
			"the tasks that `proffer job history` shows, for as long as their agents keep them.",
		Example: "  proffer job logs report\n  proffer job logs -f report",
		RunE: func(cmd *cobra.Command, args []string) error {
			r := operator.LogRequest{Follow: follow}
			if stderr {
				r.Stream = "stderr"
			}
			err := c.jobLogs(cmd.Context(), args[0], r)
			if cmd.Context().Err() != nil {
				return nil // ctrl-C ends the look, not the job
			}
			return err
		},
		ValidArgsFunction: completeJobs(c),
	}
	f := cmd.Flags()
	f.BoolVarP(&follow, "follow", "f", false, "go on until the run has ended, and wait for one that is to begin")
	f.BoolVar(&stderr, "stderr", false, "the error output instead")
	return cmd
}

// jobLogs prints the output of a job's last run.
func (c *client) jobLogs(ctx context.Context, name string, r operator.LogRequest) error {
	j, err := c.jobs()
	if err != nil {
		return err
	}
	task, agent, err := j.lastRun(ctx, name, r.Follow)
	if err != nil {
		return err
	}
	if task == "" {
		return sdk.Errorf(sdk.CodeNotFound, "", "no run of %s is known that has begun; `proffer job next %[1]s` says when one will", shown(name))
	}
	op, err := c.operator()
	if err != nil {
		return err
	}
	agents, err := agentURLs(ctx, op)
	if err != nil {
		return err
	}
	base, there := agents[sdk.AgentID(agent)]
	if !there {
		return sdk.Errorf(sdk.CodeNotFound, "", "the last run of %s (%s) was on the agent %s, which the cluster does not have now", shown(name), task, agent)
	}
	frameworks, err := op.Frameworks(ctx)
	if err != nil {
		return err
	}
	r.TaskID, r.AgentURL = sdk.TaskID(task), base
	err = sdk.Errorf(sdk.CodeNotFound, "", "no framework %s is known", chronosName)
	for _, f := range slices.Concat(frameworks.Frameworks, frameworks.CompletedFrameworks) {
		if f.FrameworkInfo.Principal != chronosName {
			continue
		}
		// The run may be of an earlier framework of chronosish: its agent knows.
		r.FrameworkID = f.FrameworkInfo.ID
		if err = copyLog(ctx, op, r, c.io.out); sdk.CodeOf(err) != sdk.CodeNotFound {
			return err
		}
	}
	return sdk.Errorf(sdk.CodeNotFound, "", "the output of the last run of %s (%s) is not there any more: %s", shown(name), task, reason(err))
}

// lastRun finds the task of the last run that has begun, and its agent. A follower waits, for
// as long as ctx lasts, for one that is to begin, and for the first one of all.
func (j *jobs) lastRun(ctx context.Context, name string, follow bool) (task, agent string, err error) {
	for told := false; ; {
		var h jobHistory
		if err := j.history(ctx, name, jobLogLook, 0, &h); err != nil {
			return "", "", err
		}
		if task, agent := h.going(); task != "" {
			return task, agent, nil
		}
		if task, agent := h.past(); !follow || len(h.Runs) == 0 && task != "" {
			return task, agent, nil
		}
		if !told {
			fmt.Fprintf(j.talk, "waiting for a run of %s to begin\n", shown(name))
			told = true
		}
		if err := pause(ctx, retryLogs); err != nil {
			return "", "", err
		}
	}
}

// jobLogLook is how far back a run is looked for, in lines of the history: the newest may be
// of slots that were skipped.
const jobLogLook = 100

// going is the task of the newest run that goes on, and its agent; "" for none.
func (h *jobHistory) going() (task, agent string) {
	for _, r := range slices.Backward(h.Runs) {
		if r.TaskID != "" && r.State != string(sdk.TaskStaging) {
			return r.TaskID, r.AgentID
		}
	}
	return "", ""
}

// past is the task of the run that has ended last, and its agent; "" for none.
func (h *jobHistory) past() (task, agent string) {
	for _, r := range h.History {
		if r.TaskID != "" && r.Started != "" && r.Outcome != "RETURNED" { // one given up before, heard of again
			return r.TaskID, r.AgentID
		}
	}
	return "", ""
}
