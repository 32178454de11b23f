package sdk

// TaskStatus is one status update of a task: mesos.v1.TaskStatus. With a UUID it is
// sent again until the framework acknowledges it; without, no acknowledgement is due.
type TaskStatus struct {
	TaskID          TaskID                  `wire:"1,task_id,value,required"`
	State           TaskState               `wire:"2,state,required"`
	Message         string                  `wire:"4,message"` // a sentence for people
	Source          StatusSource            `wire:"9,source"`  // who says so
	Reason          Reason                  `wire:"10,reason"`
	Data            []byte                  `wire:"3,data"`
	AgentID         AgentID                 `wire:"5,agent_id,value"`
	ExecutorID      ExecutorID              `wire:"7,executor_id,value"`
	Timestamp       float64                 `wire:"6,timestamp"` // seconds since 1970
	UUID            []byte                  `wire:"11,uuid"`     // 16 bytes, or absent
	Healthy         *bool                   `wire:"8,healthy"`   // absent: no health check, or no result yet
	CheckStatus     *CheckStatusInfo        `wire:"15,check_status"`
	Labels          *Labels                 `wire:"12,labels"`
	ContainerStatus *ContainerStatus        `wire:"13,container_status"`
	UnreachableTime *TimeInfo               `wire:"14,unreachable_time"` // since when the agent is silent
	Limitation      *TaskResourceLimitation `wire:"16,limitation"`       // which limit ended it
	// WaitStatus is Proffer's: the raw wait status of the task's process, as wait(2)
	// gives it, in a terminal state that a process's end brought about.
	WaitStatus *int32 `wire:"1000,wait_status"`
	// HealthResults is Proffer's: what each of the task's health checks has found, in
	// their order. Healthy is true when all of them are alive, false when one is not.
	HealthResults []HealthResult `wire:"1001,health_results"`
}

// MessageNeverHad is what a TASK_GONE says that answers a reconciliation about a task
// which its agent never had. The words are Mesos's, and all that tells it from the
// TASK_GONE of a task that did run.
const MessageNeverHad = "Reconciliation: Task is unknown to the agent"

// NeverLaunched tells whether the status is a definite answer that the task did not run
// and will not: the agent or the master has dropped it, or neither has ever had it. All
// other ends, and TASK_GONE with another message among them, leave open that it ran.
func (s *TaskStatus) NeverLaunched() bool {
	switch s.State {
	case TaskDropped, TaskUnknown:
		return true
	case TaskGone:
		return len(s.UUID) == 0 && s.Message == MessageNeverHad
	}
	return false
}

// StatusSource is Mesos's TaskStatus.Source enumeration; the empty value means absent.
type StatusSource string

// The values of StatusSource, by their names on the wire.
const (
	SourceMaster   StatusSource = "SOURCE_MASTER"
	SourceAgent    StatusSource = "SOURCE_AGENT"
	SourceExecutor StatusSource = "SOURCE_EXECUTOR"
)

// Enum lists the names of StatusSource with their protobuf numbers.
func (StatusSource) Enum() []EnumValue {
	return []EnumValue{
		{"SOURCE_MASTER", 0},
		{"SOURCE_AGENT", 1},
		{"SOURCE_EXECUTOR", 2},
	}
}

// ContainerStatus tells where a task runs: mesos.v1.ContainerStatus.
type ContainerStatus struct {
	ContainerID  *ContainerID  `wire:"4,container_id"`
	NetworkInfos []NetworkInfo `wire:"1,network_infos"`
	CgroupInfo   *CgroupInfo   `wire:"2,cgroup_info"`
	ExecutorPID  uint32        `wire:"3,executor_pid"` // on the agent
}

// ContainerID names a container and those around it: mesos.v1.ContainerID.
type ContainerID struct {
	Value  string       `wire:"1,value,required"`
	Parent *ContainerID `wire:"2,parent"`
}

// CgroupInfo is the message mesos.v1.CgroupInfo.
type CgroupInfo struct {
	NetCls *NetCls `wire:"1,net_cls"`
}

// NetCls is the message mesos.v1.CgroupInfo.NetCls.
type NetCls struct {
	Classid uint32 `wire:"1,classid"`
}

// TaskResourceLimitation is the limit that ended a task: mesos.v1.TaskResourceLimitation.
type TaskResourceLimitation struct {
	Resources []Resource `wire:"1,resources"`
}
