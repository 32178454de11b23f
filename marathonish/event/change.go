package event

import "github.com/profferhq/proffer/marathonish/app"

// APIPost says that a client changed an app.
type APIPost struct {
	ClientIP      string   `json:"clientIp"`
	URI           string   `json:"uri"`
	AppDefinition *app.App `json:"appDefinition"`
}

// EventType is api_post_event.
func (APIPost) EventType() string { return "api_post_event" }

// AppTerminated says that an app is gone with its last instance.
type AppTerminated struct {
	AppID app.ID `json:"appId"`
}

// EventType is app_terminated_event.
func (AppTerminated) EventType() string { return "app_terminated_event" }

// GroupChangeSuccess says that what stands in a group was changed.
type GroupChangeSuccess struct {
	GroupID app.ID      `json:"groupId"` // of the app's folder: "/" at the top
	Version app.Version `json:"version"`
}

// EventType is group_change_success.
func (GroupChangeSuccess) EventType() string { return "group_change_success" }

// GroupChangeFailed says that it could not be changed.
type GroupChangeFailed struct {
	GroupID app.ID      `json:"groupId"`
	Version app.Version `json:"version"`
	Reason  string      `json:"reason"`
}

// EventType is group_change_failed.
func (GroupChangeFailed) EventType() string { return "group_change_failed" }

// SchedulerRegistered says that the kernel knows this framework for the first time.
type SchedulerRegistered struct {
	FrameworkID string `json:"frameworkId"`
	Master      string `json:"master"`
}

// EventType is scheduler_registered_event.
func (SchedulerRegistered) EventType() string { return "scheduler_registered_event" }

// SchedulerReregistered says that it is connected again.
type SchedulerReregistered struct {
	FrameworkID string `json:"frameworkId"`
	Master      string `json:"master"`
}

// EventType is scheduler_reregistered_event.
func (SchedulerReregistered) EventType() string { return "scheduler_reregistered_event" }

// SchedulerDisconnected says that the connection to the kernel is lost.
type SchedulerDisconnected struct{}

// EventType is scheduler_disconnected_event.
func (SchedulerDisconnected) EventType() string { return "scheduler_disconnected_event" }

// StreamAttached says that a client follows the events.
type StreamAttached struct {
	RemoteAddress string `json:"remoteAddress"`
}

// EventType is event_stream_attached.
func (StreamAttached) EventType() string { return "event_stream_attached" }

// StreamDetached says that it no longer does.
type StreamDetached struct {
	RemoteAddress string `json:"remoteAddress"`
}

// EventType is event_stream_detached.
func (StreamDetached) EventType() string { return "event_stream_detached" }

// Gap says to one client that events which it asked for by Last-Event-ID are not
// kept any more: it has to read the state anew.
type Gap struct {
	After uint64 `json:"after"` // the id that the client named
	First uint64 `json:"first"` // the oldest id that is still kept
}

// EventType is gap.
func (Gap) EventType() string { return "gap" }
