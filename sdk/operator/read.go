package operator

import (
	"context"
	"net/http"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
)

// Health asks for /health, the one thing that needs no credentials: nil when some
// master is there and healthy.
func (c *Client) Health(ctx context.Context) error {
	resp, err := c.masters.Do(ctx, masters.Request{Op: "get health", Method: http.MethodGet, Path: "/health"})
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Version is the version of the master that answers.
func (c *Client) Version(ctx context.Context) (*sdk.VersionInfo, error) {
	answer, err := c.call(ctx, "get version", &sdk.OperatorCall{Type: sdk.OperatorGetVersion})
	if err != nil {
		return nil, err
	}
	if answer == nil || answer.GetVersion == nil {
		return nil, missing("get version")
	}
	return &answer.GetVersion.VersionInfo, nil
}

// State is everything at one moment: agents, frameworks, executors, tasks.
func (c *Client) State(ctx context.Context) (*sdk.GetState, error) {
	answer, err := c.call(ctx, "get state", &sdk.OperatorCall{Type: sdk.OperatorGetState})
	if err != nil {
		return nil, err
	}
	if answer == nil || answer.GetState == nil {
		return nil, missing("get state")
	}
	return answer.GetState, nil
}

// Agents are the agents with their resources: total, allocated, offered.
func (c *Client) Agents(ctx context.Context) (*sdk.GetAgents, error) {
	answer, err := c.call(ctx, "get agents", &sdk.OperatorCall{Type: sdk.OperatorGetAgents})
	if err != nil {
		return nil, err
	}
	if answer == nil || answer.GetAgents == nil {
		return nil, missing("get agents")
	}
	return answer.GetAgents, nil
}

// Frameworks are the frameworks, those of the past included.
func (c *Client) Frameworks(ctx context.Context) (*sdk.GetFrameworks, error) {
	answer, err := c.call(ctx, "get frameworks", &sdk.OperatorCall{Type: sdk.OperatorGetFrameworks})
	if err != nil {
		return nil, err
	}
	if answer == nil || answer.GetFrameworks == nil {
		return nil, missing("get frameworks")
	}
	return answer.GetFrameworks, nil
}

// Executors are the executors that run now.
func (c *Client) Executors(ctx context.Context) (*sdk.GetExecutors, error) {
	answer, err := c.call(ctx, "get executors", &sdk.OperatorCall{Type: sdk.OperatorGetExecutors})
	if err != nil {
		return nil, err
	}
	if answer == nil || answer.GetExecutors == nil {
		return nil, missing("get executors")
	}
	return answer.GetExecutors, nil
}

// Tasks are the tasks: live, unreachable, and the last that ended.
func (c *Client) Tasks(ctx context.Context) (*sdk.GetTasks, error) {
	answer, err := c.call(ctx, "get tasks", &sdk.OperatorCall{Type: sdk.OperatorGetTasks})
	if err != nil {
		return nil, err
	}
	if answer == nil || answer.GetTasks == nil {
		return nil, missing("get tasks")
	}
	return answer.GetTasks, nil
}

// Failures are the last tasks and agents that failed or were lost, newest first.
func (c *Client) Failures(ctx context.Context) (*sdk.GetFailures, error) {
	answer, err := c.call(ctx, "get failures", &sdk.OperatorCall{Type: sdk.OperatorGetFailures})
	if err != nil {
		return nil, err
	}
	if answer == nil || answer.GetFailures == nil {
		return nil, missing("get failures")
	}
	return answer.GetFailures, nil
}

// Weights are the weights of roles that were set, by role; all others have 1.
func (c *Client) Weights(ctx context.Context) ([]sdk.WeightInfo, error) {
	answer, err := c.call(ctx, "get weights", &sdk.OperatorCall{Type: sdk.OperatorGetWeights})
	if err != nil {
		return nil, err
	}
	if answer == nil || answer.GetWeights == nil {
		return nil, missing("get weights")
	}
	return answer.GetWeights.WeightInfos, nil
}

// BootManifest is what the cluster starts by itself; nil when that is nothing.
func (c *Client) BootManifest(ctx context.Context) (*sdk.BootManifest, error) {
	answer, err := c.call(ctx, "get boot manifest", &sdk.OperatorCall{Type: sdk.OperatorGetBootManifest})
	if err != nil {
		return nil, err
	}
	if answer == nil || answer.GetBootManifest == nil {
		return nil, missing("get boot manifest")
	}
	return answer.GetBootManifest.Manifest, nil
}

// Boot is what init does about the manifest now, and what it waits for.
func (c *Client) Boot(ctx context.Context) (*sdk.GetBoot, error) {
	answer, err := c.call(ctx, "get boot", &sdk.OperatorCall{Type: sdk.OperatorGetBoot})
	if err != nil {
		return nil, err
	}
	if answer == nil || answer.GetBoot == nil {
		return nil, missing("get boot")
	}
	return answer.GetBoot, nil
}

// WhoLeads is the leading master.
func (c *Client) WhoLeads(ctx context.Context) (*sdk.MasterInfo, error) {
	answer, err := c.call(ctx, "get master", &sdk.OperatorCall{Type: sdk.OperatorGetMaster})
	if err != nil {
		return nil, err
	}
	if answer == nil || answer.GetMaster == nil || answer.GetMaster.MasterInfo == nil {
		return nil, missing("get master")
	}
	return answer.GetMaster.MasterInfo, nil
}
