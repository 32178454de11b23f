package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

func killCommand(c *client) *cobra.Command {
	var grace, timeout time.Duration
	var detach bool
	cmd := &cobra.Command{
		Use: "kill TASK", Short: "End a task: SIGTERM, its grace, SIGKILL to the whole group", Args: cobra.ExactArgs(1),
		Example: "  proffer kill TASK\n  proffer kill --grace 30s TASK",
		RunE: func(cmd *cobra.Command, args []string) error {
			op, err := c.operator()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			task, err := findTask(ctx, op, args[0])
			if err != nil {
				return err
			}
			if terminal(task.State) {
				return sdk.Errorf(sdk.CodeConflict, "", "task %s has ended already (%s)", task.TaskID, taskState(task.State))
			}
			if err := op.Kill(ctx, task.FrameworkID, task.TaskID, grace); err != nil {
				return err
			}
			if detach {
				return printKilled(c, task.TaskID, task.State)
			}
			state, err := waitTerminal(ctx, op, task)
			if err != nil {
				return fmt.Errorf("the kill was sent, the end was not seen: %w", err)
			}
			if !c.json {
				_, err = fmt.Fprintln(c.io.err, task.TaskID, taskState(state))
				return err
			}
			return printKilled(c, task.TaskID, state)
		},
		ValidArgsFunction: completeTasks(c),
	}
	f := cmd.Flags()
	f.DurationVar(&grace, "grace", 0, "time between SIGTERM and SIGKILL (default: the task's own)")
	f.DurationVar(&timeout, "timeout", time.Minute, "how long to wait for the end")
	f.BoolVar(&detach, "detach", false, "do not wait for the end")
	return cmd
}

// printKilled is for programs; people are told on stderr.
func printKilled(c *client, id sdk.TaskID, state sdk.TaskState) error {
	if !c.json {
		return nil
	}
	return c.printObject(struct {
		ID    sdk.TaskID    `json:"task_id"`
		State sdk.TaskState `json:"state"`
	}{id, state})
}

// waitTerminal waits until the task has ended.
func waitTerminal(ctx context.Context, op *operator.Client, task sdk.Task) (sdk.TaskState, error) {
	for {
		now, err := findTask(ctx, op, string(task.TaskID))
		if err != nil {
			return "", err
		}
		if terminal(now.State) {
			return now.State, nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return "", err
		}
	}
}

// terminal tells whether a task in the state has ended for ever.
func terminal(s sdk.TaskState) bool {
	switch s {
	case sdk.TaskFinished, sdk.TaskFailed, sdk.TaskKilled, sdk.TaskError, sdk.TaskLost, sdk.TaskDropped, sdk.TaskGone, sdk.TaskGoneByOperator:
		return true
	}
	return false
}
