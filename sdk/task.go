package sdk

// TaskInfo is a task as its framework wants it launched: mesos.v1.TaskInfo. It has
// either a Command, which the default executor runs, or an Executor of the
// framework's own.
type TaskInfo struct {
	Name              string            `wire:"1,name,required"`
	TaskID            TaskID            `wire:"2,task_id,value,required"`
	AgentID           AgentID           `wire:"3,agent_id,value,required"`
	Resources         []Resource        `wire:"4,resources"` // what it may use at least; cpus is its share
	Executor          *ExecutorInfo     `wire:"5,executor"`
	Command           *CommandInfo      `wire:"7,command"`
	Container         *ContainerInfo    `wire:"9,container"`
	HealthCheck       *HealthCheck      `wire:"8,health_check"`
	Check             *CheckInfo        `wire:"13,check"`
	KillPolicy        *KillPolicy       `wire:"12,kill_policy"`
	Data              []byte            `wire:"6,data"` // opaque, for the framework's executor
	Labels            *Labels           `wire:"10,labels"`
	Discovery         *DiscoveryInfo    `wire:"11,discovery"`
	MaxCompletionTime *DurationInfo     `wire:"14,max_completion_time"` // it is killed when it runs longer
	Limits            map[string]Scalar `wire:"15,limits"`              // cpus, mem and others that it may use at most; "Infinity" for none
	// HealthChecks is Proffer's: all checks of the task, where there are more than one.
	// HealthCheck is absent then.
	HealthChecks []HealthCheck `wire:"1000,health_checks"`
}

// KillPolicy says how a task is ended: mesos.v1.KillPolicy. First SIGTERM, and after
// the grace period SIGKILL.
type KillPolicy struct {
	GracePeriod *DurationInfo `wire:"1,grace_period"` // absent: the agent's default, 5 s
}

// TaskGroupInfo are tasks that are launched and killed together: mesos.v1.TaskGroupInfo.
type TaskGroupInfo struct {
	Tasks []TaskInfo `wire:"1,tasks"`
}

// Task is a task as masters and agents know it: mesos.v1.Task.
type Task struct {
	Name              string            `wire:"1,name,required"`
	TaskID            TaskID            `wire:"2,task_id,value,required"`
	FrameworkID       FrameworkID       `wire:"3,framework_id,value,required"`
	ExecutorID        ExecutorID        `wire:"4,executor_id,value"`
	AgentID           AgentID           `wire:"5,agent_id,value,required"`
	State             TaskState         `wire:"6,state,required"`
	Resources         []Resource        `wire:"7,resources"`
	Statuses          []TaskStatus      `wire:"8,statuses"`
	StatusUpdateState TaskState         `wire:"9,status_update_state"` // state of the oldest update that is not acknowledged
	StatusUpdateUUID  []byte            `wire:"10,status_update_uuid"` // UUID of that update
	Labels            *Labels           `wire:"11,labels"`
	Discovery         *DiscoveryInfo    `wire:"12,discovery"`
	Container         *ContainerInfo    `wire:"13,container"`
	HealthCheck       *HealthCheck      `wire:"15,health_check"`
	KillPolicy        *KillPolicy       `wire:"16,kill_policy"`
	User              string            `wire:"14,user"`
	Limits            map[string]Scalar `wire:"17,limits"`
	HealthChecks      []HealthCheck     `wire:"1000,health_checks"` // Proffer's, as in TaskInfo
}
