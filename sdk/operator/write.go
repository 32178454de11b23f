package operator

import (
	"context"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Kill ends one task of any framework: SIGTERM, and SIGKILL after grace (0: the
// task's own kill policy). It returns when the kernel has taken the order, not
// when the task has ended. The framework sees an ordinary TASK_KILLED.
func (c *Client) Kill(ctx context.Context, framework sdk.FrameworkID, task sdk.TaskID, grace time.Duration) error {
	kill := &sdk.KillTask{FrameworkID: framework, TaskID: task}
	if grace > 0 {
		kill.KillPolicy = &sdk.KillPolicy{GracePeriod: &sdk.DurationInfo{Nanoseconds: grace.Nanoseconds()}}
	}
	_, err := c.call(ctx, "kill task", &sdk.OperatorCall{Type: sdk.OperatorKillTask, KillTask: kill})
	return err
}

// Teardown ends a framework and everything that it runs. Its id is never used
// again.
func (c *Client) Teardown(ctx context.Context, framework sdk.FrameworkID) error {
	_, err := c.call(ctx, "tear down framework", &sdk.OperatorCall{Type: sdk.OperatorTeardown, Teardown: &sdk.Teardown{FrameworkID: framework}})
	return err
}

// SetWeights sets the weights of roles: with 2 a role gets twice what a sibling of
// weight 1 gets where both want all. A weight is above zero. It returns when the
// weights are replicated; they count from the next offers on.
func (c *Client) SetWeights(ctx context.Context, weights ...sdk.WeightInfo) error {
	_, err := c.call(ctx, "set weights", &sdk.OperatorCall{Type: sdk.OperatorUpdateWeights, UpdateWeights: &sdk.UpdateWeights{WeightInfos: weights}})
	return err
}

// SetBootManifest has the cluster start something else from now on. It returns when the
// manifest is replicated; init then ends and starts what follows from it.
func (c *Client) SetBootManifest(ctx context.Context, m sdk.BootManifest) error {
	_, err := c.call(ctx, "set boot manifest", &sdk.OperatorCall{Type: sdk.OperatorSetBootManifest, SetBootManifest: &sdk.SetBootManifest{Manifest: m}})
	return err
}
