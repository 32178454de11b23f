package sdk

// TaskInfo is the message mesos.v1.TaskInfo.
type TaskInfo struct {
	Name              string            `wire:"1,name,required"`
	TaskID            TaskID            `wire:"2,task_id,value,required"`
	AgentID           AgentID           `wire:"3,agent_id,value,required"`
	Resources         []Resource        `wire:"4,resources"`
	Executor          *ExecutorInfo     `wire:"5,executor"`
	Command           *CommandInfo      `wire:"7,command"`
	Container         *ContainerInfo    `wire:"9,container"`
	HealthCheck       *HealthCheck      `wire:"8,health_check"`
	Check             *CheckInfo        `wire:"13,check"`
	KillPolicy        *KillPolicy       `wire:"12,kill_policy"`
	Data              []byte            `wire:"6,data"`
	Labels            *Labels           `wire:"10,labels"`
	Discovery         *DiscoveryInfo    `wire:"11,discovery"`
	MaxCompletionTime *DurationInfo     `wire:"14,max_completion_time"`
	Limits            map[string]Scalar `wire:"15,limits"`
}

// KillPolicy is the message mesos.v1.KillPolicy.
type KillPolicy struct {
	GracePeriod *DurationInfo `wire:"1,grace_period"`
}

// TaskGroupInfo is the message mesos.v1.TaskGroupInfo.
type TaskGroupInfo struct {
	Tasks []TaskInfo `wire:"1,tasks"`
}

// Task is the message mesos.v1.Task.
type Task struct {
	Name              string            `wire:"1,name,required"`
	TaskID            TaskID            `wire:"2,task_id,value,required"`
	FrameworkID       FrameworkID       `wire:"3,framework_id,value,required"`
	ExecutorID        ExecutorID        `wire:"4,executor_id,value"`
	AgentID           AgentID           `wire:"5,agent_id,value,required"`
	State             TaskState         `wire:"6,state,required"`
	Resources         []Resource        `wire:"7,resources"`
	Statuses          []TaskStatus      `wire:"8,statuses"`
	StatusUpdateState TaskState         `wire:"9,status_update_state"`
	StatusUpdateUUID  []byte            `wire:"10,status_update_uuid"`
	Labels            *Labels           `wire:"11,labels"`
	Discovery         *DiscoveryInfo    `wire:"12,discovery"`
	Container         *ContainerInfo    `wire:"13,container"`
	HealthCheck       *HealthCheck      `wire:"15,health_check"`
	KillPolicy        *KillPolicy       `wire:"16,kill_policy"`
	User              string            `wire:"14,user"`
	Limits            map[string]Scalar `wire:"17,limits"`
}
