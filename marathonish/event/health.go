package event

import "github.com/profferhq/proffer/marathonish/app"

// AddHealthCheck says that an app has a further check.
type AddHealthCheck struct {
	AppID       app.ID          `json:"appId"`
	Version     app.Version     `json:"version"`
	HealthCheck app.HealthCheck `json:"healthCheck"`
}

// EventType is add_health_check_event.
func (AddHealthCheck) EventType() string { return "add_health_check_event" }

// RemoveHealthCheck says that an app has lost its checks.
type RemoveHealthCheck struct {
	AppID app.ID `json:"appId"`
}

// EventType is remove_health_check_event.
func (RemoveHealthCheck) EventType() string { return "remove_health_check_event" }

// FailedHealthCheck says that a check failed, and that this counts.
type FailedHealthCheck struct {
	AppID       app.ID          `json:"appId"`
	TaskID      string          `json:"taskId"`
	InstanceID  string          `json:"instanceId"`
	HealthCheck app.HealthCheck `json:"healthCheck"`
}

// EventType is failed_health_check_event.
func (FailedHealthCheck) EventType() string { return "failed_health_check_event" }

// HealthStatusChanged says that a check of an instance has a new result.
type HealthStatusChanged struct {
	AppID      app.ID      `json:"appId"`
	InstanceID string      `json:"instanceId"`
	TaskID     string      `json:"taskId"` // the same again: go-marathon reads this one
	Version    app.Version `json:"version"`
	Alive      bool        `json:"alive"`
}

// EventType is health_status_changed_event.
func (HealthStatusChanged) EventType() string { return "health_status_changed_event" }

// InstanceHealthChanged says that an instance as a whole is healthy or not; nil when
// that is not known any more.
type InstanceHealthChanged struct {
	InstanceID     string      `json:"instanceId"`
	RunSpecID      app.ID      `json:"runSpecId"`
	RunSpecVersion app.Version `json:"runSpecVersion"`
	Healthy        *bool       `json:"healthy"`
}

// EventType is instance_health_changed_event.
func (InstanceHealthChanged) EventType() string { return "instance_health_changed_event" }

// UnhealthyInstanceKill says that an instance is killed because of a check. It comes
// after the FailedHealthCheck that decided it.
type UnhealthyInstanceKill struct {
	AppID      app.ID      `json:"appId"`
	TaskID     string      `json:"taskId"`
	InstanceID string      `json:"instanceId"`
	Version    app.Version `json:"version"`
	Reason     string      `json:"reason"`
	Host       string      `json:"host"`
	SlaveID    string      `json:"slaveId"`
}

// EventType is unhealthy_instance_kill_event.
func (UnhealthyInstanceKill) EventType() string { return "unhealthy_instance_kill_event" }
