package sdk

// ExecutorEvent is what an agent says to an executor: mesos.v1.executor.Event.
type ExecutorEvent struct {
	Type         ExecutorEventType    `wire:"1,type"`
	Subscribed   *ExecutorSubscribed  `wire:"2,subscribed"`
	Acknowledged *Acknowledged        `wire:"3,acknowledged"`
	Launch       *ExecutorLaunch      `wire:"4,launch"`
	LaunchGroup  *ExecutorLaunchGroup `wire:"8,launch_group"`
	Kill         *ExecutorKill        `wire:"5,kill"`
	Message      *MessageToExecutor   `wire:"6,message"`
	Error        *ExecutorError       `wire:"7,error"`
}

// ExecutorEventType is Mesos's Event.Type enumeration; the empty value means absent.
type ExecutorEventType string

// The values of ExecutorEventType, by their names on the wire.
const (
	ExecutorEventUnknown      ExecutorEventType = "UNKNOWN"
	ExecutorEventSubscribed   ExecutorEventType = "SUBSCRIBED"
	ExecutorEventLaunch       ExecutorEventType = "LAUNCH"
	ExecutorEventLaunchGroup  ExecutorEventType = "LAUNCH_GROUP"
	ExecutorEventKill         ExecutorEventType = "KILL"
	ExecutorEventAcknowledged ExecutorEventType = "ACKNOWLEDGED"
	ExecutorEventMessage      ExecutorEventType = "MESSAGE"
	ExecutorEventError        ExecutorEventType = "ERROR"
	ExecutorEventShutdown     ExecutorEventType = "SHUTDOWN"
	ExecutorEventHeartbeat    ExecutorEventType = "HEARTBEAT"
)

// Enum lists the names of ExecutorEventType with their protobuf numbers.
func (ExecutorEventType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"SUBSCRIBED", 1},
		{"LAUNCH", 2},
		{"LAUNCH_GROUP", 8},
		{"KILL", 3},
		{"ACKNOWLEDGED", 4},
		{"MESSAGE", 5},
		{"ERROR", 6},
		{"SHUTDOWN", 7},
		{"HEARTBEAT", 9},
	}
}

// ExecutorSubscribed is the message mesos.v1.executor.Event.Subscribed.
type ExecutorSubscribed struct {
	ExecutorInfo  ExecutorInfo  `wire:"1,executor_info,required"`
	FrameworkInfo FrameworkInfo `wire:"2,framework_info,required"`
	AgentInfo     AgentInfo     `wire:"3,agent_info,required"`
	ContainerID   *ContainerID  `wire:"4,container_id"`
}

// Acknowledged says that the agent has stored an update: mesos.v1.executor.Event.Acknowledged.
// The executor need not keep it any more.
type Acknowledged struct {
	TaskID TaskID `wire:"1,task_id,value,required"`
	UUID   []byte `wire:"2,uuid,required"`
}

// ExecutorLaunch is the message mesos.v1.executor.Event.Launch.
type ExecutorLaunch struct {
	Task TaskInfo `wire:"1,task,required"`
	// Spec is Proffer's: how the default executor starts the task. A framework's
	// own executor does not get one.
	Spec *LaunchSpec `wire:"1000,spec"`
}

// ExecutorLaunchGroup is the message mesos.v1.executor.Event.LaunchGroup.
type ExecutorLaunchGroup struct {
	TaskGroup TaskGroupInfo `wire:"1,task_group,required"`
	// Specs are Proffer's, one per task and in their order.
	Specs []LaunchSpec `wire:"1000,specs"`
}

// ExecutorKill is the message mesos.v1.executor.Event.Kill.
type ExecutorKill struct {
	TaskID     TaskID      `wire:"1,task_id,value,required"`
	KillPolicy *KillPolicy `wire:"2,kill_policy"`
}

// MessageToExecutor is the message mesos.v1.executor.Event.Message.
type MessageToExecutor struct {
	Data []byte `wire:"1,data,required"`
}

// ExecutorError is the message mesos.v1.executor.Event.Error.
type ExecutorError struct {
	Message string `wire:"1,message,required"`
}
