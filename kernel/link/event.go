package link

import "github.com/profferhq/proffer/sdk"

// Event is one message of the leading master to an agent. Exactly the body that
// Type names is set.
type Event struct {
	Version           uint32             `wire:"1,version,required"`
	Generation        uint64             `wire:"2,generation"`
	Term              uint64             `wire:"3,term"`
	Type              EventType          `wire:"4,type,required"`
	Registered        *Registered        `wire:"5,registered"`
	Run               *Run               `wire:"6,run"`
	Kill              *Kill              `wire:"7,kill"`
	Acknowledge       *Acknowledge       `wire:"8,acknowledge"`
	Message           *Message           `wire:"9,message"`
	ShutdownExecutor  *ShutdownExecutor  `wire:"10,shutdown_executor"`
	ShutdownFramework *ShutdownFramework `wire:"11,shutdown_framework"`
	Framework         *Framework         `wire:"12,framework"`
	Reconcile         *Reconcile         `wire:"13,reconcile"`
	Shutdown          *Shutdown          `wire:"14,shutdown"`
	Notice            *Notice            `wire:"15,notice"`
}

// Fence is the pair that orders the leaders.
func (e *Event) Fence() Fence { return Fence{Generation: e.Generation, Term: e.Term} }

// EventType says what an Event is.
type EventType string

// The types of Event.
const (
	EventRegistered        EventType = "REGISTERED"         // always the first
	EventRun               EventType = "RUN"                // start tasks
	EventKill              EventType = "KILL"               // end a task
	EventAcknowledge       EventType = "ACKNOWLEDGE"        // the framework has the update
	EventMessage           EventType = "MESSAGE"            // bytes of a framework for its executor
	EventShutdownExecutor  EventType = "SHUTDOWN_EXECUTOR"  // end an executor and its tasks
	EventShutdownFramework EventType = "SHUTDOWN_FRAMEWORK" // the framework is removed: end all that it has here
	EventFramework         EventType = "FRAMEWORK"          // a framework's info changed
	EventReconcile         EventType = "RECONCILE"          // say what you know of a task
	EventHeartbeat         EventType = "HEARTBEAT"          // nothing to say, still leading
	EventShutdown          EventType = "SHUTDOWN"           // this agent is not wanted; Message says why
	EventNotice            EventType = "NOTICE"             // something for the agent's operator to read
)

// Enum lists the names of EventType with their numbers.
func (EventType) Enum() []sdk.EnumValue {
	return []sdk.EnumValue{
		{Name: "REGISTERED", Number: 1},
		{Name: "RUN", Number: 2},
		{Name: "KILL", Number: 3},
		{Name: "ACKNOWLEDGE", Number: 4},
		{Name: "MESSAGE", Number: 5},
		{Name: "SHUTDOWN_EXECUTOR", Number: 6},
		{Name: "SHUTDOWN_FRAMEWORK", Number: 7},
		{Name: "FRAMEWORK", Number: 8},
		{Name: "RECONCILE", Number: 9},
		{Name: "HEARTBEAT", Number: 10},
		{Name: "SHUTDOWN", Number: 11},
		{Name: "NOTICE", Number: 12},
	}
}

// Registered takes the agent in.
type Registered struct {
	AgentID          sdk.AgentID `wire:"1,agent_id,value,required"`
	HeartbeatSeconds float64     `wire:"2,heartbeat_seconds,required"` // either side says something at least this often
	Cluster          string      `wire:"4,cluster"`                    // the cluster's name, for people
}

// Run starts tasks. The agent checkpoints them before anything else happens, and
// answers each that it refuses with a status.
type Run struct {
	Framework sdk.FrameworkInfo `wire:"1,framework,required"` // with its id
	// Executor is the framework's own; nil for the agent's default executor.
	Executor *sdk.ExecutorInfo `wire:"2,executor"`
	Tasks    []sdk.TaskInfo    `wire:"3,tasks"`
	Group    bool              `wire:"4,group"` // the tasks live and die together (LAUNCH_GROUP)
	// FrameworkPrincipal is set when the launcher may start frameworks: those of
	// Tasks whose label PROFFER_FRAMEWORK has this very value get its credentials.
	// Tasks with differing labels travel in several RUNs.
	FrameworkPrincipal string `wire:"5,framework_principal"`
	// AllowedUsers are the users, beside the agent's task user, that the launcher
	// may name; "*" stands for all, root included.
	AllowedUsers []string `wire:"6,allowed_users"`
}

// Kill ends a task, before its start too.
type Kill struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	TaskID      sdk.TaskID      `wire:"2,task_id,value,required"`
	KillPolicy  *sdk.KillPolicy `wire:"3,kill_policy"`
	// Reason is why the leader itself has the task ended, for its status; empty when
	// somebody asked for this very task.
	Reason sdk.Reason `wire:"4,reason"`
	// MaxGrace bounds the grace period that holds otherwise; nil for no bound.
	MaxGrace *sdk.DurationInfo `wire:"5,max_grace"`
}

// Acknowledge says that the framework has the update of that uuid.
type Acknowledge struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	TaskID      sdk.TaskID      `wire:"2,task_id,value,required"`
	UUID        []byte          `wire:"3,uuid,required"`
}

// ShutdownExecutor ends an executor: SHUTDOWN, its grace, then force.
type ShutdownExecutor struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	ExecutorID  sdk.ExecutorID  `wire:"2,executor_id,value,required"`
}

// ShutdownFramework ends all executors of a framework; nobody is left to
// acknowledge its updates.
type ShutdownFramework struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
}

// Framework replaces what the agent knows about a framework.
type Framework struct {
	Info sdk.FrameworkInfo `wire:"1,info,required"` // with its id
}

// Reconcile asks for what the agent knows of a task; RECONCILED answers.
type Reconcile struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	TaskID      sdk.TaskID      `wire:"2,task_id,value,required"`
}

// Shutdown tells an agent that is not wanted (its id was marked gone, or another
// has it) to end its tasks and not to come back under this id.
type Shutdown struct {
	Message string `wire:"1,message"`
}

// Notice tells the operator of an agent what its master sees of it and the agent
// cannot: it goes to the agent's log and changes nothing.
type Notice struct {
	Message string `wire:"1,message,required"`
}
