package sdk

// DrainAgent is the message mesos.v1.master.Call.DrainAgent: every task of the agent is
// ended, and no more come to it.
type DrainAgent struct {
	AgentID AgentID `wire:"1,agent_id,value,required"`
	// MaxGracePeriod bounds the time that a task has between SIGTERM and SIGKILL; nil
	// leaves each its own.
	MaxGracePeriod *Duration `wire:"2,max_grace_period"`
	MarkGone       bool      `wire:"3,mark_gone"` // the agent is marked gone when it is drained
}

// Duration is the message google.protobuf.Duration.
type Duration struct {
	Seconds int64 `wire:"1,seconds"`
	Nanos   int32 `wire:"2,nanos"`
}

// DeactivateAgent is the message mesos.v1.master.Call.DeactivateAgent: nothing of the
// agent is offered any more; what runs there stays.
type DeactivateAgent struct {
	AgentID AgentID `wire:"1,agent_id,value,required"`
}

// ReactivateAgent is the message mesos.v1.master.Call.ReactivateAgent; it undoes
// DEACTIVATE_AGENT, and DRAIN_AGENT once the agent is drained.
type ReactivateAgent struct {
	AgentID AgentID `wire:"1,agent_id,value,required"`
}

// MarkAgentGone is the message mesos.v1.master.Call.MarkAgentGone: the machine never
// comes back, and what it ran is lost for certain. It is final.
type MarkAgentGone struct {
	AgentID AgentID `wire:"1,agent_id,value,required"`
}

// DrainState is Mesos's DrainState enumeration; the empty value means absent.
type DrainState string

// The values of DrainState, by their names on the wire.
const (
	DrainUnknown DrainState = "UNKNOWN"
	Draining     DrainState = "DRAINING"
	Drained      DrainState = "DRAINED"
)

// Enum lists the names of DrainState with their protobuf numbers.
func (DrainState) Enum() []EnumValue {
	return []EnumValue{{"UNKNOWN", 0}, {"DRAINING", 1}, {"DRAINED", 2}}
}

// DrainConfig is the message mesos.v1.DrainConfig.
type DrainConfig struct {
	MaxGracePeriod *DurationInfo `wire:"1,max_grace_period"`
	MarkGone       bool          `wire:"2,mark_gone"`
}

// DrainInfo is the message mesos.v1.DrainInfo: how far an agent is drained.
type DrainInfo struct {
	State  DrainState  `wire:"1,state,required"`
	Config DrainConfig `wire:"2,config,required"`
}

// Notice is Proffer's: something about the cluster that people should know while it
// lasts, such as what it waits for.
type Notice struct {
	Key         string      `wire:"1,key,required"` // one notice of a key replaces the other
	Message     string      `wire:"2,message"`      // empty: it is over
	AgentID     AgentID     `wire:"3,agent_id,value"`
	FrameworkID FrameworkID `wire:"4,framework_id,value"`
	Until       *TimeInfo   `wire:"5,until"` // when what is announced will happen
}
