package event

import "github.com/profferhq/proffer/marathonish/app"

// IPAddress is one address of a task.
type IPAddress struct {
	IPAddress string `json:"ipAddress"`
	Protocol  string `json:"protocol"` // IPv4 or IPv6
}

// IPAddresses writes addresses with their protocols; never nil.
func IPAddresses(ips []string) []IPAddress {
	out := make([]IPAddress, 0, len(ips))
	for _, ip := range ips {
		protocol := "IPv4"
		for _, c := range ip {
			if c == ':' {
				protocol = "IPv6"
			}
		}
		out = append(out, IPAddress{ip, protocol})
	}
	return out
}

// StatusUpdate says that a task entered a state.
type StatusUpdate struct {
	SlaveID     string      `json:"slaveId"`
	TaskID      string      `json:"taskId"`
	TaskStatus  string      `json:"taskStatus"` // TASK_RUNNING …
	Message     string      `json:"message"`
	AppID       app.ID      `json:"appId"`
	Host        string      `json:"host"`
	IPAddresses []IPAddress `json:"ipAddresses"`
	Ports       []int       `json:"ports"`
	Version     app.Version `json:"version"`
}

// EventType is status_update_event.
func (StatusUpdate) EventType() string { return "status_update_event" }

// InstanceChanged says that an instance is in another condition. Here an instance's
// id is its task's.
type InstanceChanged struct {
	InstanceID     string      `json:"instanceId"`
	Condition      string      `json:"condition"` // Staging, Running, Killing, Failed …
	RunSpecID      app.ID      `json:"runSpecId"`
	AgentID        string      `json:"agentId"`
	Host           string      `json:"host"`
	RunSpecVersion app.Version `json:"runSpecVersion"`
}

// EventType is instance_changed_event.
func (InstanceChanged) EventType() string { return "instance_changed_event" }

// UnknownInstanceTerminated says that a task ended that nobody here wanted.
type UnknownInstanceTerminated struct {
	InstanceID string `json:"instanceId"`
	RunSpecID  app.ID `json:"runSpecId"`
	Condition  string `json:"condition"`
}

// EventType is unknown_instance_terminated_event.
func (UnknownInstanceTerminated) EventType() string { return "unknown_instance_terminated_event" }

// Condition is Marathon's name for the state of a task: TASK_RUNNING is Running.
func Condition(state string) string {
	switch state {
	case "TASK_GONE_BY_OPERATOR":
		return "GoneByOperator"
	case "TASK_KILLING", "TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED", "TASK_FAILED", "TASK_KILLED",
		"TASK_ERROR", "TASK_LOST", "TASK_DROPPED", "TASK_UNREACHABLE", "TASK_GONE", "TASK_UNKNOWN":
		name := []byte(state[len("TASK_"):])
		for i := 1; i < len(name); i++ {
			name[i] |= 0x20
		}
		return string(name)
	}
	return "Unknown"
}
