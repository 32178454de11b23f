package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

func logsCommand(c *client) *cobra.Command {
	var follow, stderr bool
	cmd := &cobra.Command{
		Use: "logs TASK", Short: "Print what a task has written", Args: cobra.ExactArgs(1),
		Example: "  proffer logs TASK\n  proffer logs -f --stderr TASK",
		RunE: func(cmd *cobra.Command, args []string) error {
			op, err := c.operator()
			if err != nil {
				return err
			}
			task, err := findTask(cmd.Context(), op, args[0])
			if err != nil {
				return err
			}
			r := operator.LogRequest{FrameworkID: task.FrameworkID, TaskID: task.TaskID, Follow: follow}
			if stderr {
				r.Stream = "stderr"
			}
			err = copyLog(cmd.Context(), op, r, c.io.out)
			if cmd.Context().Err() != nil {
				return nil // ctrl-C ends the look, not the task
			}
			return err
		},
		ValidArgsFunction: completeTasks(c),
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the task has ended")
	cmd.Flags().BoolVar(&stderr, "stderr", false, "the error output instead")
	return cmd
}

// copyLog copies one stream. An agent that is restarted meanwhile is asked again from
// where the copy stands, so that a follower sees every byte once.
func copyLog(ctx context.Context, op *operator.Client, r operator.LogRequest, to io.Writer) error {
	for {
		body, err := op.Logs(ctx, r)
		if err == nil {
			var n int64
			n, err = io.Copy(to, body)
			body.Close()
			r.Offset += n
			if err == nil {
				return nil
			}
		}
		if !r.Follow || ctx.Err() != nil || !passing(err) {
			return err
		}
		if err := pause(ctx, retryLogs); err != nil {
			return err
		}
	}
}

// passing tells whether an error may go away when the agent is back.
func passing(err error) bool {
	var e *sdk.Error
	return !errors.As(err, &e) || e.Code == sdk.CodeUnavailable
}

// completeTasks completes the ids of the tasks that run.
func completeTasks(c *client) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		op, err := c.operator()
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		tasks, err := op.Tasks(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []string
		for _, t := range allTasks(tasks, false) {
			if strings.HasPrefix(string(t.TaskID), word) {
				out = append(out, string(t.TaskID))
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}
