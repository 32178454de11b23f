package sdk

// ExecutorCall is what an executor says to its agent: mesos.v1.executor.Call.
type ExecutorCall struct {
	ExecutorID  ExecutorID          `wire:"1,executor_id,value,required"`
	FrameworkID FrameworkID         `wire:"2,framework_id,value,required"`
	Type        ExecutorCallType    `wire:"3,type"`
	Subscribe   *ExecutorSubscribe  `wire:"4,subscribe"`
	Update      *ExecutorUpdate     `wire:"5,update"`
	Message     *MessageToScheduler `wire:"6,message"`
}

// ExecutorCallType is Mesos's Call.Type enumeration; the empty value means absent.
type ExecutorCallType string

// The values of ExecutorCallType, by their names on the wire.
const (
	ExecutorCallUnknown   ExecutorCallType = "UNKNOWN"
	ExecutorCallSubscribe ExecutorCallType = "SUBSCRIBE"
	ExecutorCallUpdate    ExecutorCallType = "UPDATE"
	ExecutorCallMessage   ExecutorCallType = "MESSAGE"
	ExecutorCallHeartbeat ExecutorCallType = "HEARTBEAT"
)

// Enum lists the names of ExecutorCallType with their protobuf numbers.
func (ExecutorCallType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"SUBSCRIBE", 1},
		{"UPDATE", 2},
		{"MESSAGE", 3},
		{"HEARTBEAT", 4},
	}
}

// ExecutorSubscribe opens an executor's stream, and tells a restarted agent what it may
// have missed: mesos.v1.executor.Call.Subscribe.
type ExecutorSubscribe struct {
	UnacknowledgedTasks   []TaskInfo       `wire:"1,unacknowledged_tasks"`
	UnacknowledgedUpdates []ExecutorUpdate `wire:"2,unacknowledged_updates"`
}

// ExecutorUpdate is a status update on its way to the agent: mesos.v1.executor.Call.Update.
type ExecutorUpdate struct {
	Status TaskStatus `wire:"1,status,required"`
	// Process is Proffer's: what the default executor started, told with the first
	// update after the start.
	Process *Process `wire:"1000,process"`
	// WaitStatus is Proffer's: the raw wait status behind a terminal state.
	WaitStatus *int32 `wire:"1001,wait_status"`
}

// MessageToScheduler is the message mesos.v1.executor.Call.Message.
type MessageToScheduler struct {
	Data []byte `wire:"2,data,required"`
}
