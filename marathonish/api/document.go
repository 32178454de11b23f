package api

import (
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/marathonish/fleet"
)

// reference names a thing by its id.
type reference struct {
	ID string `json:"id"`
}

func references(ids []string) []reference {
	out := make([]reference, 0, len(ids))
	for _, id := range ids {
		out = append(out, reference{id})
	}
	return out
}

// appDocument is an app with what there is of it.
type appDocument struct {
	app.Document
	TasksStaged           int              `json:"tasksStaged"`
	TasksRunning          int              `json:"tasksRunning"`
	TasksHealthy          int              `json:"tasksHealthy"`
	TasksUnhealthy        int              `json:"tasksUnhealthy"`
	Deployments           []reference      `json:"deployments"`
	Tasks                 *[]taskDocument  `json:"tasks,omitempty"`
	LastTaskFailure       *failureDocument `json:"lastTaskFailure,omitempty"`
	ReadinessCheckResults *[]struct{}      `json:"readinessCheckResults,omitempty"`
	TaskStats             *taskStats       `json:"taskStats,omitempty"`
	Why                   *[]string        `json:"why,omitempty"`
}

// render writes an app with its counts and deployments, and what is asked for.
func render(st fleet.AppStatus, e embed, why []string, now time.Time) appDocument {
	d := appDocument{
		Document: st.App.Document(), TasksStaged: st.Staged, TasksRunning: st.Running, TasksHealthy: st.Healthy, TasksUnhealthy: st.Unhealthy,
		Deployments: references(st.Deployments),
	}
	if e.tasks {
		tasks := renderTasks(st, e)
		d.Tasks = &tasks
	}
	if e.lastTaskFailure && st.LastFailure != nil {
		d.LastTaskFailure = renderFailure(st.LastFailure)
	}
	if e.readiness {
		d.ReadinessCheckResults = &[]struct{}{}
	}
	if e.taskStats {
		d.TaskStats = statistics(st, now)
	}
	if e.why {
		why = append([]string{}, why...) // never null
		d.Why = &why
	}
	return d
}

// failureDocument is the last end of a task that nobody wanted.
type failureDocument struct {
	AppID     app.ID      `json:"appId"`
	Host      string      `json:"host"`
	Message   string      `json:"message"`
	State     string      `json:"state"`
	TaskID    string      `json:"taskId"`
	Timestamp string      `json:"timestamp"`
	Version   app.Version `json:"version"`
	SlaveID   string      `json:"slaveId"`
}

func renderFailure(f *fleet.Failure) *failureDocument {
	return &failureDocument{f.App, f.Host, f.Message, f.State, string(f.TaskID), app.Timestamp(f.At), f.Version, string(f.AgentID)}
}

// taskDocument is one task.
type taskDocument struct {
	AppID              app.ID            `json:"appId"`
	ID                 string            `json:"id"`
	Host               string            `json:"host"`
	IPAddresses        []event.IPAddress `json:"ipAddresses"`
	Ports              []int             `json:"ports"`
	ServicePorts       []int             `json:"servicePorts"`
	SlaveID            string            `json:"slaveId"`
	State              string            `json:"state"`
	StagedAt           string            `json:"stagedAt,omitempty"`
	StartedAt          string            `json:"startedAt,omitempty"`
	Version            app.Version       `json:"version"`
	HealthCheckResults []checkDocument   `json:"healthCheckResults"`
	LocalVolumes       []struct{}        `json:"localVolumes"`
	Role               string            `json:"role,omitempty"`
	InstanceIndex      *int              `json:"instanceIndex,omitempty"`
}

// checkDocument is what one health check has found.
type checkDocument struct {
	Alive               bool   `json:"alive"`
	ConsecutiveFailures int    `json:"consecutiveFailures"`
	FirstSuccess        string `json:"firstSuccess,omitempty"`
	LastSuccess         string `json:"lastSuccess,omitempty"`
	LastFailure         string `json:"lastFailure,omitempty"`
	LastFailureCause    string `json:"lastFailureCause,omitempty"`
	InstanceID          string `json:"instanceId"`
	TaskID              string `json:"taskId"` // the same again: go-marathon reads this one
}

func renderTasks(st fleet.AppStatus, e embed) []taskDocument {
	out := make([]taskDocument, 0, len(st.Instances))
	ports := servicePorts(st.App)
	for _, i := range st.Instances {
		out = append(out, renderTask(i, ports, e))
	}
	return out
}

func servicePorts(a *app.App) []int {
	out := []int{}
	if a != nil {
		for _, p := range a.PortDefinitions {
			out = append(out, p.Port)
		}
	}
	return out
}

func renderTask(i fleet.Instance, servicePorts []int, e embed) taskDocument {
	d := taskDocument{
		AppID: i.App, ID: string(i.TaskID), Host: i.Host, IPAddresses: event.IPAddresses(i.IPs), Ports: append([]int{}, i.Ports...),
		ServicePorts: servicePorts, SlaveID: string(i.AgentID), State: i.State, StagedAt: stamp(i.StagedAt), StartedAt: stamp(i.StartedAt),
		Version: i.Version, HealthCheckResults: make([]checkDocument, 0, len(i.Checks)), LocalVolumes: []struct{}{}, Role: i.Role,
	}
	// An instance of an older version may have more ports than the app has now; clients
	// look for a service port of each.
	for len(d.ServicePorts) < len(d.Ports) {
		d.ServicePorts = append(d.ServicePorts[:len(d.ServicePorts):len(d.ServicePorts)], 0)
	}
	for _, c := range i.Checks {
		d.HealthCheckResults = append(d.HealthCheckResults, checkDocument{
			Alive: c.Alive != nil && *c.Alive, ConsecutiveFailures: c.ConsecutiveFailures, FirstSuccess: stamp(c.FirstSuccess),
			LastSuccess: stamp(c.LastSuccess), LastFailure: stamp(c.LastFailure), LastFailureCause: c.Cause, InstanceID: d.ID, TaskID: d.ID,
		})
	}
	if e.index {
		d.InstanceIndex = &i.Index
	}
	return d
}

// stamp writes a time, and none as nothing.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return app.Timestamp(t)
}
