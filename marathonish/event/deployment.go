package event

import "github.com/profferhq/proffer/marathonish/app"

// Action is what a step of a deployment does to one app.
type Action struct {
	Action string `json:"action"` // StartApplication, ScaleApplication, RestartApplication, StopApplication
	App    app.ID `json:"app"`
}

// Step is a set of actions that are done together.
type Step struct {
	Actions []Action `json:"actions"`
}

// Plan is a deployment. What was and what shall be are left out, as Marathon does
// since 1.8; old clients find the keys with empty objects.
type Plan struct {
	ID       string      `json:"id"`
	Version  app.Version `json:"version"`
	Original struct{}    `json:"original"`
	Target   struct{}    `json:"target"`
	Steps    []Step      `json:"steps"`
}

// NewPlan writes a deployment; no list in it is null.
func NewPlan(id string, version app.Version, steps [][]Action) Plan {
	p := Plan{ID: id, Version: version, Steps: make([]Step, 0, len(steps))}
	for _, s := range steps {
		p.Steps = append(p.Steps, NewStep(s))
	}
	return p
}

// NewStep writes one step; its list is never null.
func NewStep(actions []Action) Step {
	return Step{Actions: append([]Action{}, actions...)}
}

// DeploymentInfo says that a step of a deployment begins.
type DeploymentInfo struct {
	Plan        Plan `json:"plan"`
	CurrentStep Step `json:"currentStep"`
}

// EventType is deployment_info.
func (DeploymentInfo) EventType() string { return "deployment_info" }

// DeploymentStepSuccess says that a step is done.
type DeploymentStepSuccess struct {
	Plan        Plan `json:"plan"`
	CurrentStep Step `json:"currentStep"`
}

// EventType is deployment_step_success.
func (DeploymentStepSuccess) EventType() string { return "deployment_step_success" }

// DeploymentStepFailure says that a step will not be done.
type DeploymentStepFailure struct {
	Plan        Plan `json:"plan"`
	CurrentStep Step `json:"currentStep"`
}

// EventType is deployment_step_failure.
func (DeploymentStepFailure) EventType() string { return "deployment_step_failure" }

// DeploymentSuccess says that a deployment is done.
type DeploymentSuccess struct {
	ID   string `json:"id"`
	Plan Plan   `json:"plan"`
}

// EventType is deployment_success.
func (DeploymentSuccess) EventType() string { return "deployment_success" }

// DeploymentFailed says that a deployment ended before it was done.
type DeploymentFailed struct {
	ID     string `json:"id"`
	Plan   Plan   `json:"plan"`
	Reason string `json:"reason,omitempty"`
}

// EventType is deployment_failed.
func (DeploymentFailed) EventType() string { return "deployment_failed" }
