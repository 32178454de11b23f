package sdk

// OperatorEvent is the message mesos.v1.master.Event.
type OperatorEvent struct {
	Type             OperatorEventType   `wire:"1,type"`
	Subscribed       *OperatorSubscribed `wire:"2,subscribed"`
	TaskAdded        *TaskAdded          `wire:"3,task_added"`
	TaskUpdated      *TaskUpdated        `wire:"4,task_updated"`
	AgentAdded       *AgentAdded         `wire:"5,agent_added"`
	AgentRemoved     *AgentRemoved       `wire:"6,agent_removed"`
	FrameworkAdded   *FrameworkAdded     `wire:"7,framework_added"`
	FrameworkUpdated *FrameworkUpdated   `wire:"8,framework_updated"`
	FrameworkRemoved *FrameworkRemoved   `wire:"9,framework_removed"`
	// Proffer's, for its own readers; streams of Mesos's clients do not get them.
	AgentUpdated    *AgentUpdated    `wire:"1000,agent_updated"`
	AgentRecovered  *AgentRecovered  `wire:"1001,agent_recovered"`
	ExecutorAdded   *ExecutorAdded   `wire:"1002,executor_added"`
	ExecutorRemoved *ExecutorRemoved `wire:"1003,executor_removed"`
	Notice          *Notice          `wire:"1004,notice"`
}

// OperatorEventType is Mesos's Event.Type enumeration; the empty value means absent.
type OperatorEventType string

// The values of OperatorEventType, by their names on the wire.
const (
	OperatorEventUnknown          OperatorEventType = "UNKNOWN"
	OperatorEventSubscribed       OperatorEventType = "SUBSCRIBED"
	OperatorEventTaskAdded        OperatorEventType = "TASK_ADDED"
	OperatorEventTaskUpdated      OperatorEventType = "TASK_UPDATED"
	OperatorEventAgentAdded       OperatorEventType = "AGENT_ADDED"
	OperatorEventAgentRemoved     OperatorEventType = "AGENT_REMOVED"
	OperatorEventFrameworkAdded   OperatorEventType = "FRAMEWORK_ADDED"
	OperatorEventFrameworkUpdated OperatorEventType = "FRAMEWORK_UPDATED"
	OperatorEventFrameworkRemoved OperatorEventType = "FRAMEWORK_REMOVED"
	OperatorEventHeartbeat        OperatorEventType = "HEARTBEAT"
	OperatorEventAgentUpdated     OperatorEventType = "AGENT_UPDATED"    // Proffer's
	OperatorEventAgentRecovered   OperatorEventType = "AGENT_RECOVERED"  // Proffer's
	OperatorEventExecutorAdded    OperatorEventType = "EXECUTOR_ADDED"   // Proffer's
	OperatorEventExecutorRemoved  OperatorEventType = "EXECUTOR_REMOVED" // Proffer's
	OperatorEventNotice           OperatorEventType = "NOTICE"           // Proffer's
)

// Enum lists the names of OperatorEventType with their protobuf numbers.
func (OperatorEventType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"SUBSCRIBED", 1},
		{"TASK_ADDED", 2},
		{"TASK_UPDATED", 3},
		{"AGENT_ADDED", 4},
		{"AGENT_REMOVED", 5},
		{"FRAMEWORK_ADDED", 6},
		{"FRAMEWORK_UPDATED", 7},
		{"FRAMEWORK_REMOVED", 8},
		{"HEARTBEAT", 9},
		{"AGENT_UPDATED", 1000},
		{"AGENT_RECOVERED", 1001},
		{"EXECUTOR_ADDED", 1002},
		{"EXECUTOR_REMOVED", 1003},
		{"NOTICE", 1004},
	}
}

// OperatorSubscribed is the message mesos.v1.master.Event.Subscribed.
type OperatorSubscribed struct {
	GetState                 *GetState `wire:"1,get_state"`
	HeartbeatIntervalSeconds float64   `wire:"2,heartbeat_interval_seconds"`
}

// TaskAdded is the message mesos.v1.master.Event.TaskAdded.
type TaskAdded struct {
	Task Task `wire:"1,task,required"`
	// OfferIDs is Proffer's: the offers that the task was launched by; none for one that
	// a returning agent told of.
	OfferIDs []OfferID `wire:"1000,offer_ids,value"`
}

// TaskUpdated is the message mesos.v1.master.Event.TaskUpdated.
type TaskUpdated struct {
	FrameworkID FrameworkID `wire:"1,framework_id,value,required"`
	Status      TaskStatus  `wire:"2,status,required"`
	State       TaskState   `wire:"3,state,required"`
}

// AgentAdded is the message mesos.v1.master.Event.AgentAdded.
type AgentAdded struct {
	Agent AgentState `wire:"1,agent,required"`
}

// AgentRemoved is the message mesos.v1.master.Event.AgentRemoved.
type AgentRemoved struct {
	AgentID AgentID `wire:"1,agent_id,value,required"`
}

// FrameworkAdded is the message mesos.v1.master.Event.FrameworkAdded.
type FrameworkAdded struct {
	Framework FrameworkState `wire:"1,framework,required"`
}

// FrameworkUpdated is the message mesos.v1.master.Event.FrameworkUpdated.
type FrameworkUpdated struct {
	Framework FrameworkState `wire:"1,framework,required"`
}

// FrameworkRemoved is the message mesos.v1.master.Event.FrameworkRemoved.
type FrameworkRemoved struct {
	FrameworkInfo FrameworkInfo `wire:"1,framework_info,required"`
}

// AgentUpdated is Proffer's: an agent lost or found its stream, changed what it
// has, or is unreachable.
type AgentUpdated struct {
	Agent AgentState `wire:"1,agent,required"`
}

// AgentRecovered is Proffer's: a new leader waits for an agent that it knows.
type AgentRecovered struct {
	AgentInfo AgentInfo `wire:"1,agent_info,required"`
}

// ExecutorAdded is Proffer's: an executor holds resources of an agent.
type ExecutorAdded struct {
	Executor ExecutorState `wire:"1,executor,required"`
}

// ExecutorRemoved is Proffer's: an executor ended.
type ExecutorRemoved struct {
	FrameworkID FrameworkID `wire:"1,framework_id,value,required"`
	ExecutorID  ExecutorID  `wire:"2,executor_id,value,required"`
	AgentID     AgentID     `wire:"3,agent_id,value,required"`
}
