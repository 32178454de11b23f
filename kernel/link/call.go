package link

import "github.com/profferhq/proffer/sdk"

// Call is one message of an agent to the leading master. Exactly the body that
// Type names is set.
type Call struct {
	Version        uint32          `wire:"1,version,required"`
	Type           CallType        `wire:"2,type,required"`
	AgentID        sdk.AgentID     `wire:"3,agent_id,value"` // empty only in an agent's first REGISTER
	Register       *Register       `wire:"4,register"`
	Update         *Update         `wire:"5,update"`
	Reconciled     *Reconciled     `wire:"6,reconciled"`
	ExecutorExited *ExecutorExited `wire:"7,executor_exited"`
	Message        *Message        `wire:"8,message"`
	Resources      *Resources      `wire:"9,resources"`
}

// CallType says what a Call is.
type CallType string

// The types of Call.
const (
	CallRegister       CallType = "REGISTER"        // opens the stream; also after a restart of either side
	CallUpdate         CallType = "UPDATE"          // a task's state; sent again until ACKNOWLEDGE
	CallReconciled     CallType = "RECONCILED"      // definite answer to RECONCILE; no acknowledgement is due
	CallExecutorExited CallType = "EXECUTOR_EXITED" // an executor ended
	CallMessage        CallType = "MESSAGE"         // bytes of an executor for its framework
	CallResources      CallType = "RESOURCES"       // the agent's totals or attributes changed
	CallHeartbeat      CallType = "HEARTBEAT"       // nothing to say, still here
)

// Enum lists the names of CallType with their numbers.
func (CallType) Enum() []sdk.EnumValue {
	return []sdk.EnumValue{
		{Name: "REGISTER", Number: 1},
		{Name: "UPDATE", Number: 2},
		{Name: "RECONCILED", Number: 3},
		{Name: "EXECUTOR_EXITED", Number: 4},
		{Name: "MESSAGE", Number: 5},
		{Name: "RESOURCES", Number: 6},
		{Name: "HEARTBEAT", Number: 7},
	}
}

// Register is everything that a leader must know of an agent to take it in. What
// it does not list, the agent does not have and, because it closed its former
// stream first, will not start. Updates follow as UPDATE calls.
type Register struct {
	Agent      sdk.AgentInfo       `wire:"1,agent,required"` // with its id when it ever had one, with resources and attributes
	BootID     string              `wire:"2,boot_id,required"`
	Software   string              `wire:"3,software"` // version of the agent's program, for people
	Address    string              `wire:"4,address"`  // host:port of the agent's HTTP, as others reach it
	Highest    Fence               `wire:"5,highest"`  // highest fence seen; a leader below it must not answer
	Frameworks []sdk.FrameworkInfo `wire:"6,frameworks"`
	Executors  []sdk.ExecutorInfo  `wire:"7,executors"` // those that hold resources, each with its framework_id
	// Tasks are those whose last update is not acknowledged yet, ended ones
	// included. State is the latest; StatusUpdateState and StatusUpdateUUID are
	// those of the oldest update that waits for its acknowledgement.
	Tasks   []sdk.Task `wire:"8,tasks"`
	Cluster string     `wire:"9,cluster"` // name of the cluster that the agent was started for; empty: whichever
	Time    int64      `wire:"10,time"`   // the agent's clock, unix nanoseconds; 0: not told
	// Nonce is of an agent that has no id yet, the same in each of its registrations: it is
	// given one id, although REGISTERED may not come to it.
	Nonce string `wire:"11,nonce"`
}

// Update is a task's state on its way to the framework.
type Update struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	Status      sdk.TaskStatus  `wire:"2,status,required"` // with uuid
	// Latest is the state that the agent has reached meanwhile, when it is ahead of
	// Status: a terminal one frees the task's resources at once.
	Latest sdk.TaskState `wire:"3,latest"`
}

// Reconciled answers one RECONCILE. Status has no uuid. State TASK_GONE with
// reason REASON_TASK_UNKNOWN says "never had it, and never will".
type Reconciled struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	Status      sdk.TaskStatus  `wire:"2,status,required"`
}

// ExecutorExited tells that an executor ended, and that its resources are free.
type ExecutorExited struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	ExecutorID  sdk.ExecutorID  `wire:"2,executor_id,value,required"`
	Status      int32           `wire:"3,status"` // raw wait status; -1 when it never started or nobody could collect it
	Message     string          `wire:"4,message"`
}

// Message is bytes between a framework and its executor, in either direction,
// delivered at most once.
type Message struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	ExecutorID  sdk.ExecutorID  `wire:"2,executor_id,value,required"`
	Data        []byte          `wire:"3,data"`
}

// Resources replaces what the agent offers in all and how it is described.
type Resources struct {
	Resources  []sdk.Resource  `wire:"1,resources"`
	Attributes []sdk.Attribute `wire:"2,attributes"`
}
