package operator

import (
	"context"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Drain has every task of an agent ended, and offers nothing of it any more, until
// Reactivate. Each task has its own grace period, but at most maxGrace; below zero, no
// bound is set. With gone the agent is marked gone when it is drained. It returns when
// that is decided; Agents tells how far it is (DrainInfo).
func (c *Client) Drain(ctx context.Context, agent sdk.AgentID, maxGrace time.Duration, gone bool) error {
	d := &sdk.DrainAgent{AgentID: agent, MarkGone: gone}
	if maxGrace >= 0 {
		d.MaxGracePeriod = &sdk.Duration{Seconds: int64(maxGrace / time.Second), Nanos: int32(maxGrace % time.Second)}
	}
	_, err := c.call(ctx, "drain agent", &sdk.OperatorCall{Type: sdk.OperatorDrain, DrainAgent: d})
	return err
}

// Deactivate offers nothing of an agent any more, until Reactivate. What runs there stays.
func (c *Client) Deactivate(ctx context.Context, agent sdk.AgentID) error {
	_, err := c.call(ctx, "deactivate agent", &sdk.OperatorCall{Type: sdk.OperatorDeactivate, DeactivateAgent: &sdk.DeactivateAgent{AgentID: agent}})
	return err
}

// Reactivate offers an agent again that was deactivated or is drained. One that is still
// being drained is refused (CodeConflict).
func (c *Client) Reactivate(ctx context.Context, agent sdk.AgentID) error {
	_, err := c.call(ctx, "reactivate agent", &sdk.OperatorCall{Type: sdk.OperatorReactivate, ReactivateAgent: &sdk.ReactivateAgent{AgentID: agent}})
	return err
}

// MarkGone says that an agent never comes back: its tasks count as lost for certain
// (TASK_GONE_BY_OPERATOR), and it is refused should it come. It is final.
func (c *Client) MarkGone(ctx context.Context, agent sdk.AgentID) error {
	_, err := c.call(ctx, "mark agent gone", &sdk.OperatorCall{Type: sdk.OperatorMarkGone, MarkAgentGone: &sdk.MarkAgentGone{AgentID: agent}})
	return err
}
