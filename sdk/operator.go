package sdk

// OperatorCall is the message mesos.v1.master.Call.
type OperatorCall struct {
	Type     OperatorCallType `wire:"1,type"`
	Teardown *Teardown        `wire:"16,teardown"`
	// UpdateWeights sets the weights of roles, UPDATE_WEIGHTS.
	UpdateWeights *UpdateWeights `wire:"6,update_weights"`
	// The next take care of agents, MARK_AGENT_GONE and so on.
	MarkAgentGone   *MarkAgentGone   `wire:"17,mark_agent_gone"`
	DrainAgent      *DrainAgent      `wire:"21,drain_agent"`
	DeactivateAgent *DeactivateAgent `wire:"22,deactivate_agent"`
	ReactivateAgent *ReactivateAgent `wire:"23,reactivate_agent"`
	// KillTask is Proffer's: an operator ends one task of any framework.
	KillTask *KillTask `wire:"1000,kill_task"`
	// SetBootManifest is Proffer's: what the cluster starts by itself.
	SetBootManifest *SetBootManifest `wire:"1001,set_boot_manifest"`
	// The next are Proffer's: who the masters are, and which of them leads.
	AddMaster          *AddMaster          `wire:"1002,add_master"`
	RemoveMaster       *RemoveMaster       `wire:"1003,remove_master"`
	TransferLeadership *TransferLeadership `wire:"1004,transfer_leadership"`
}

// OperatorCallType is Mesos's Call.Type enumeration; the empty value means absent.
type OperatorCallType string

// The values of OperatorCallType, by their names on the wire.
const (
	OperatorUnknown       OperatorCallType = "UNKNOWN"
	OperatorGetHealth     OperatorCallType = "GET_HEALTH"
	OperatorGetVersion    OperatorCallType = "GET_VERSION"
	OperatorGetState      OperatorCallType = "GET_STATE"
	OperatorGetAgents     OperatorCallType = "GET_AGENTS"
	OperatorGetFrameworks OperatorCallType = "GET_FRAMEWORKS"
	OperatorGetExecutors  OperatorCallType = "GET_EXECUTORS"
	OperatorGetTasks      OperatorCallType = "GET_TASKS"
	OperatorGetWeights    OperatorCallType = "GET_WEIGHTS"
	OperatorUpdateWeights OperatorCallType = "UPDATE_WEIGHTS"
	OperatorGetMaster     OperatorCallType = "GET_MASTER"
	OperatorSubscribe     OperatorCallType = "SUBSCRIBE"
	OperatorTeardown      OperatorCallType = "TEARDOWN"
	OperatorMarkGone      OperatorCallType = "MARK_AGENT_GONE"
	OperatorDrain         OperatorCallType = "DRAIN_AGENT"
	OperatorDeactivate    OperatorCallType = "DEACTIVATE_AGENT"
	OperatorReactivate    OperatorCallType = "REACTIVATE_AGENT"
	OperatorKillTask      OperatorCallType = "KILL_TASK"    // Proffer's
	OperatorGetFailures   OperatorCallType = "GET_FAILURES" // Proffer's

	OperatorGetBoot         OperatorCallType = "GET_BOOT"          // Proffer's: what init does
	OperatorGetBootManifest OperatorCallType = "GET_BOOT_MANIFEST" // Proffer's
	OperatorSetBootManifest OperatorCallType = "SET_BOOT_MANIFEST" // Proffer's

	OperatorAddMaster          OperatorCallType = "ADD_MASTER"          // Proffer's
	OperatorRemoveMaster       OperatorCallType = "REMOVE_MASTER"       // Proffer's
	OperatorTransferLeadership OperatorCallType = "TRANSFER_LEADERSHIP" // Proffer's
)

// Enum lists the names of OperatorCallType with their protobuf numbers.
func (OperatorCallType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"GET_HEALTH", 1},
		{"GET_VERSION", 3},
		{"GET_STATE", 9},
		{"GET_AGENTS", 10},
		{"GET_FRAMEWORKS", 11},
		{"GET_EXECUTORS", 12},
		{"GET_TASKS", 13},
		{"GET_WEIGHTS", 15},
		{"UPDATE_WEIGHTS", 16},
		{"GET_MASTER", 17},
		{"SUBSCRIBE", 18},
		{"TEARDOWN", 31},
		{"MARK_AGENT_GONE", 32},
		{"DRAIN_AGENT", 37},
		{"DEACTIVATE_AGENT", 38},
		{"REACTIVATE_AGENT", 39},
		{"KILL_TASK", 1000},
		{"GET_FAILURES", 1001},
		{"GET_BOOT", 1002},
		{"GET_BOOT_MANIFEST", 1003},
		{"SET_BOOT_MANIFEST", 1004},
		{"ADD_MASTER", 1005},
		{"REMOVE_MASTER", 1006},
		{"TRANSFER_LEADERSHIP", 1007},
	}
}

// Teardown is the message mesos.v1.master.Call.Teardown.
type Teardown struct {
	FrameworkID FrameworkID `wire:"1,framework_id,value,required"`
}

// UpdateWeights is the message mesos.v1.master.Call.UpdateWeights.
type UpdateWeights struct {
	WeightInfos []WeightInfo `wire:"1,weight_infos"`
}

// WeightInfo is the message mesos.v1.WeightInfo: a role's share against its
// siblings in the tree of roles; one without a weight of its own has 1.
type WeightInfo struct {
	Weight float64 `wire:"1,weight,required"`
	Role   string  `wire:"2,role"`
}

// KillTask is Proffer's own operator call; Mesos lets only the framework kill.
type KillTask struct {
	FrameworkID FrameworkID `wire:"1,framework_id,value,required"`
	TaskID      TaskID      `wire:"2,task_id,value,required"`
	KillPolicy  *KillPolicy `wire:"3,kill_policy"`
}

// OperatorResponse is the message mesos.v1.master.Response.
type OperatorResponse struct {
	Type          OperatorResponseType `wire:"1,type"`
	GetHealth     *GetHealth           `wire:"2,get_health"`
	GetVersion    *GetVersion          `wire:"4,get_version"`
	GetState      *GetState            `wire:"9,get_state"`
	GetAgents     *GetAgents           `wire:"10,get_agents"`
	GetFrameworks *GetFrameworks       `wire:"11,get_frameworks"`
	GetExecutors  *GetExecutors        `wire:"12,get_executors"`
	GetTasks      *GetTasks            `wire:"13,get_tasks"`
	GetWeights    *GetWeights          `wire:"15,get_weights"`
	GetMaster     *GetMaster           `wire:"16,get_master"`
	// GetFailures is Proffer's: what failed lately.
	GetFailures *GetFailures `wire:"1000,get_failures"`
	// GetBoot and GetBootManifest are Proffer's: what the cluster starts by itself.
	GetBoot         *GetBoot         `wire:"1001,get_boot"`
	GetBootManifest *GetBootManifest `wire:"1002,get_boot_manifest"`
}

// OperatorResponseType is Mesos's Response.Type enumeration; the empty value means absent.
type OperatorResponseType string

// The values of OperatorResponseType, by their names on the wire.
const (
	ResponseUnknown       OperatorResponseType = "UNKNOWN"
	ResponseGetHealth     OperatorResponseType = "GET_HEALTH"
	ResponseGetVersion    OperatorResponseType = "GET_VERSION"
	ResponseGetState      OperatorResponseType = "GET_STATE"
	ResponseGetAgents     OperatorResponseType = "GET_AGENTS"
	ResponseGetFrameworks OperatorResponseType = "GET_FRAMEWORKS"
	ResponseGetExecutors  OperatorResponseType = "GET_EXECUTORS"
	ResponseGetTasks      OperatorResponseType = "GET_TASKS"
	ResponseGetWeights    OperatorResponseType = "GET_WEIGHTS"
	ResponseGetMaster     OperatorResponseType = "GET_MASTER"
	ResponseGetFailures   OperatorResponseType = "GET_FAILURES" // Proffer's

	ResponseGetBoot         OperatorResponseType = "GET_BOOT"          // Proffer's
	ResponseGetBootManifest OperatorResponseType = "GET_BOOT_MANIFEST" // Proffer's
)

// Enum lists the names of OperatorResponseType with their protobuf numbers.
func (OperatorResponseType) Enum() []EnumValue {
	return []EnumValue{
		{"UNKNOWN", 0},
		{"GET_HEALTH", 1},
		{"GET_VERSION", 3},
		{"GET_STATE", 8},
		{"GET_AGENTS", 9},
		{"GET_FRAMEWORKS", 10},
		{"GET_EXECUTORS", 11},
		{"GET_TASKS", 12},
		{"GET_WEIGHTS", 14},
		{"GET_MASTER", 15},
		{"GET_FAILURES", 1000},
		{"GET_BOOT", 1001},
		{"GET_BOOT_MANIFEST", 1002},
	}
}

// GetHealth is the message mesos.v1.master.Response.GetHealth.
type GetHealth struct {
	Healthy bool `wire:"1,healthy,required"`
}

// GetVersion is the message mesos.v1.master.Response.GetVersion.
type GetVersion struct {
	VersionInfo VersionInfo `wire:"1,version_info,required"`
}

// VersionInfo is the message mesos.v1.VersionInfo.
type VersionInfo struct {
	Version   string  `wire:"1,version,required"`
	BuildDate string  `wire:"2,build_date"`
	BuildTime float64 `wire:"3,build_time"`
	BuildUser string  `wire:"4,build_user"`
	GitSha    string  `wire:"5,git_sha"`
	GitBranch string  `wire:"6,git_branch"`
	GitTag    string  `wire:"7,git_tag"`
}

// GetState is the message mesos.v1.master.Response.GetState.
type GetState struct {
	GetTasks      *GetTasks      `wire:"1,get_tasks"`
	GetExecutors  *GetExecutors  `wire:"2,get_executors"`
	GetFrameworks *GetFrameworks `wire:"3,get_frameworks"`
	GetAgents     *GetAgents     `wire:"4,get_agents"`
	// Notices is Proffer's: what people should know now, by key.
	Notices []Notice `wire:"1000,notices"`
}

// GetTasks is the message mesos.v1.master.Response.GetTasks.
type GetTasks struct {
	Tasks            []Task `wire:"2,tasks"`
	UnreachableTasks []Task `wire:"5,unreachable_tasks"`
	CompletedTasks   []Task `wire:"3,completed_tasks"`
}

// GetExecutors is the message mesos.v1.master.Response.GetExecutors.
type GetExecutors struct {
	Executors []ExecutorState `wire:"1,executors"`
}

// ExecutorState is the message mesos.v1.master.Response.GetExecutors.Executor.
type ExecutorState struct {
	ExecutorInfo ExecutorInfo `wire:"1,executor_info,required"`
	AgentID      AgentID      `wire:"2,agent_id,value,required"`
}

// GetFrameworks is the message mesos.v1.master.Response.GetFrameworks.
type GetFrameworks struct {
	Frameworks          []FrameworkState `wire:"1,frameworks"`
	CompletedFrameworks []FrameworkState `wire:"2,completed_frameworks"`
}

// FrameworkState is the message mesos.v1.master.Response.GetFrameworks.Framework.
type FrameworkState struct {
	FrameworkInfo      FrameworkInfo     `wire:"1,framework_info,required"`
	Active             bool              `wire:"2,active,required"`
	Connected          bool              `wire:"3,connected,required"`
	Recovered          bool              `wire:"11,recovered,required"`
	RegisteredTime     *TimeInfo         `wire:"4,registered_time"`
	ReregisteredTime   *TimeInfo         `wire:"5,reregistered_time"`
	UnregisteredTime   *TimeInfo         `wire:"6,unregistered_time"`
	Offers             []Offer           `wire:"7,offers"`
	InverseOffers      []InverseOffer    `wire:"8,inverse_offers"`
	AllocatedResources []Resource        `wire:"9,allocated_resources"`
	OfferedResources   []Resource        `wire:"10,offered_resources"`
	OfferConstraints   *OfferConstraints `wire:"12,offer_constraints"`
}

// GetAgents is the message mesos.v1.master.Response.GetAgents.
type GetAgents struct {
	Agents          []AgentState `wire:"1,agents"`
	RecoveredAgents []AgentInfo  `wire:"2,recovered_agents"`
}

// AgentState is the message mesos.v1.master.Response.GetAgents.Agent.
type AgentState struct {
	AgentInfo          AgentInfo  `wire:"1,agent_info,required"`
	Active             bool       `wire:"2,active,required"`
	Deactivated        bool       `wire:"12,deactivated"`
	Version            string     `wire:"3,version,required"`
	PID                string     `wire:"4,pid"`
	RegisteredTime     *TimeInfo  `wire:"5,registered_time"`
	ReregisteredTime   *TimeInfo  `wire:"6,reregistered_time"`
	TotalResources     []Resource `wire:"7,total_resources"`
	AllocatedResources []Resource `wire:"8,allocated_resources"`
	OfferedResources   []Resource `wire:"9,offered_resources"`
	DrainInfo          *DrainInfo `wire:"13,drain_info"`
	// EstimatedDrainStartTime is when DRAIN_AGENT was decided.
	EstimatedDrainStartTime *TimeInfo `wire:"14,estimated_drain_start_time"`
	// UnreachableTime is Proffer's: since when the agent counts as unreachable; nil
	// for one that does not. Such an agent is not Active, and what it has is what
	// it told last.
	UnreachableTime *TimeInfo `wire:"1000,unreachable_time"`
}

// GetWeights is the message mesos.v1.master.Response.GetWeights.
type GetWeights struct {
	WeightInfos []WeightInfo `wire:"1,weight_infos"` // those that were set, by role
}

// GetMaster is the message mesos.v1.master.Response.GetMaster.
type GetMaster struct {
	MasterInfo  *MasterInfo `wire:"1,master_info"`
	StartTime   float64     `wire:"2,start_time"`
	ElectedTime float64     `wire:"3,elected_time"`
}

// GetFailures is Proffer's: the last tasks and agents that were lost or failed.
type GetFailures struct {
	Failures []FailureRecord `wire:"1,failures"` // newest first, bounded
}

// FailureRecord is one task or agent that did not end as it was meant to.
type FailureRecord struct {
	Time        TimeInfo    `wire:"1,time,required"`
	AgentID     AgentID     `wire:"2,agent_id,value"`
	FrameworkID FrameworkID `wire:"3,framework_id,value"` // empty for an agent
	TaskID      TaskID      `wire:"4,task_id,value"`      // empty for an agent
	State       TaskState   `wire:"5,state"`
	Reason      Reason      `wire:"6,reason"`
	Message     string      `wire:"7,message"`
}
