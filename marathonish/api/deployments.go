package api

import (
	"net/http"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
)

// deploymentDocument is a deployment that runs.
type deploymentDocument struct {
	ID             string            `json:"id"`
	Version        app.Version       `json:"version"`
	AffectedApps   []app.ID          `json:"affectedApps"`
	AffectedPods   []string          `json:"affectedPods"`
	Steps          []event.Step      `json:"steps"`
	CurrentActions []currentAction   `json:"currentActions"`
	CurrentStep    int               `json:"currentStep"`
	TotalSteps     int               `json:"totalSteps"`
	Why            map[app.ID]string `json:"why,omitempty"`
}

type currentAction struct {
	Action                string     `json:"action"`
	App                   app.ID     `json:"app"`
	ReadinessCheckResults []struct{} `json:"readinessCheckResults"`
}

func renderDeployment(d fleet.Deployment, e embed) deploymentDocument {
	out := deploymentDocument{
		ID: d.ID, Version: d.Version, AffectedApps: append([]app.ID{}, d.Apps...), AffectedPods: []string{}, Steps: make([]event.Step, 0, len(d.Steps)),
		CurrentActions: make([]currentAction, 0, len(d.Current)), CurrentStep: d.Step, TotalSteps: d.Total,
	}
	for _, step := range d.Steps {
		actions := make([]event.Action, 0, len(step))
		for _, a := range step {
			actions = append(actions, event.Action{Action: a.Action, App: a.App})
		}
		out.Steps = append(out.Steps, event.NewStep(actions))
	}
	for _, a := range d.Current {
		out.CurrentActions = append(out.CurrentActions, currentAction{a.Action, a.App, []struct{}{}})
	}
	if e.why {
		out.Why = d.Waits
	}
	return out
}

func (s *server) listDeployments(c *call) (rest.Answer, error) {
	var all []fleet.Deployment
	s.backend.Read(func(f View) { all = f.Deployments() })
	out := make([]deploymentDocument, 0, len(all))
	for _, d := range all {
		out = append(out, renderDeployment(d, c.embed()))
	}
	return rest.JSON(out)
}

func (s *server) cancelDeployment(c *call) (rest.Answer, error) {
	force, err := c.flag("force", false)
	if err != nil {
		return rest.Answer{}, err
	}
	out, err := s.change(c, fleet.Change{Kind: fleet.Cancel, Deployment: c.arg, Force: force})
	if err != nil {
		return rest.Answer{}, err
	}
	if force {
		return rest.Answer{Status: http.StatusAccepted}, nil
	}
	return changed(http.StatusOK, out), nil
}
