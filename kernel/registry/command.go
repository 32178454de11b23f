package registry

import "github.com/profferhq/proffer/sdk"

// CommandVersion is the newest command format that this code knows. A leader
// proposes nothing newer than State.CommonVersion; a reader refuses a newer
// command by name.
//
// Version 2 brought the care of agents: DEACTIVATE_AGENT to AGENT_DRAINED. Version 3
// brought KEEP_KILLS, FORGET_KILLS and TRIM_AGENTS. Version 4 makes ids that no generation
// before has made. Version 5 knows a new agent again by its nonce.
const CommandVersion = 5

// CommandType says which member of Command is set.
type CommandType string

// The commands. Numbers are only ever added.
const (
	CommandBootstrap           CommandType = "BOOTSTRAP"            // gives a fresh cluster its identity, once
	CommandMember              CommandType = "MEMBER"               // a master tells what it understands
	CommandRaiseGeneration     CommandType = "RAISE_GENERATION"     // fences everything sent before
	CommandAdmitAgent          CommandType = "ADMIT_AGENT"          // a new agent, a returning one, or changed facts
	CommandAgentUnreachable    CommandType = "AGENT_UNREACHABLE"    // silent for too long
	CommandAgentGone           CommandType = "AGENT_GONE"           // given up for good by an operator
	CommandRemoveAgent         CommandType = "REMOVE_AGENT"         // left in order, with nothing running
	CommandAdmitFramework      CommandType = "ADMIT_FRAMEWORK"      // a new framework, a returning one, or changed facts
	CommandFrameworkDisconnect CommandType = "FRAMEWORK_DISCONNECT" // its stream ended; its deadline runs
	CommandRemoveFramework     CommandType = "REMOVE_FRAMEWORK"     // torn down, or away for too long
	CommandSetWeight           CommandType = "SET_WEIGHT"           // weight of a role
	CommandSetManifest         CommandType = "SET_MANIFEST"         // what init starts
	CommandDeactivateAgent     CommandType = "DEACTIVATE_AGENT"     // nothing of it is offered
	CommandReactivateAgent     CommandType = "REACTIVATE_AGENT"     // it is offered again
	CommandDrainAgent          CommandType = "DRAIN_AGENT"          // what it runs is to end, and nothing of it is offered
	CommandAgentDrained        CommandType = "AGENT_DRAINED"        // nothing runs there any more
	CommandKeepKills           CommandType = "KEEP_KILLS"           // what is to end on an agent that is away, when it is back
	CommandForgetKills         CommandType = "FORGET_KILLS"         // all of that has ended
	CommandTrimAgents          CommandType = "TRIM_AGENTS"          // agents that are away or gone since long ago are forgotten
)

// Enum lists the names of CommandType with their numbers on disk.
func (CommandType) Enum() []sdk.EnumValue {
	return []sdk.EnumValue{
		{Name: "BOOTSTRAP", Number: 1},
		{Name: "MEMBER", Number: 2},
		{Name: "RAISE_GENERATION", Number: 3},
		{Name: "ADMIT_AGENT", Number: 4},
		{Name: "AGENT_UNREACHABLE", Number: 5},
		{Name: "AGENT_GONE", Number: 6},
		{Name: "REMOVE_AGENT", Number: 7},
		{Name: "ADMIT_FRAMEWORK", Number: 8},
		{Name: "FRAMEWORK_DISCONNECT", Number: 9},
		{Name: "REMOVE_FRAMEWORK", Number: 10},
		{Name: "SET_WEIGHT", Number: 11},
		{Name: "SET_MANIFEST", Number: 12},
		{Name: "DEACTIVATE_AGENT", Number: 13},
		{Name: "REACTIVATE_AGENT", Number: 14},
		{Name: "DRAIN_AGENT", Number: 15},
		{Name: "AGENT_DRAINED", Number: 16},
		{Name: "KEEP_KILLS", Number: 17},
		{Name: "FORGET_KILLS", Number: 18},
		{Name: "TRIM_AGENTS", Number: 19},
	}
}

// Since is the version of commands that brought this type. A leader proposes none that
// its oldest voter does not know: that one would see another registry from then on.
func (t CommandType) Since() uint32 {
	switch t {
	case CommandDeactivateAgent, CommandReactivateAgent, CommandDrainAgent, CommandAgentDrained:
		return 2
	case CommandKeepKills, CommandForgetKills, CommandTrimAgents:
		return 3
	}
	return 1
}

// Command is one change of the registry. Version 0 is written as CommandVersion.
type Command struct {
	Version             uint32               `wire:"1,version,required"`
	Type                CommandType          `wire:"2,type,required"`
	Time                int64                `wire:"3,time"` // unix nanoseconds on the proposing leader
	Bootstrap           *Bootstrap           `wire:"4,bootstrap"`
	Member              *Member              `wire:"5,member"`
	AdmitAgent          *AdmitAgent          `wire:"6,admit_agent"`
	Agent               *AgentRef            `wire:"7,agent"` // of every command about one agent but those with a member of their own
	AdmitFramework      *AdmitFramework      `wire:"8,admit_framework"`
	FrameworkDisconnect *FrameworkDisconnect `wire:"9,framework_disconnect"`
	Framework           *FrameworkRef        `wire:"10,framework"` // of REMOVE_FRAMEWORK
	SetWeight           *SetWeight           `wire:"11,set_weight"`
	SetManifest         *SetManifest         `wire:"12,set_manifest"`
	DrainAgent          *DrainAgent          `wire:"13,drain_agent"`
	KeepKills           *KeepKills           `wire:"14,keep_kills"`
	TrimAgents          *TrimAgents          `wire:"15,trim_agents"`
}

// Bootstrap names a fresh cluster.
type Bootstrap struct {
	ClusterID string `wire:"1,cluster_id,required"` // prefix of every agent, framework and offer id
	Name      string `wire:"2,name,required"`       // what people and gossip call it
}

// Member is what one master understands; told when it joins and when it is upgraded.
type Member struct {
	Name    string `wire:"1,name,required"`
	Command uint32 `wire:"2,command,required"` // its CommandVersion
	Release string `wire:"3,release"`          // its version, for people
	Left    bool   `wire:"4,left"`             // it is a member no more
	Store   uint32 `wire:"5,store"`            // its store.CommandVersion; 0 when it has no store
}

// AdmitAgent lets an agent in. Without Info.ID Apply chooses one (Result.AgentID), the same
// for the same nonce: the answer may not have come to the agent, which then asks again.
// An agent that was unreachable is reachable again; one that is gone is refused.
type AdmitAgent struct {
	Info    sdk.AgentInfo `wire:"1,info,required"`
	Version string        `wire:"2,version"` // the agent's release
	Address string        `wire:"3,address"` // host:port of its HTTP
	Nonce   string        `wire:"4,nonce"`   // link.Register.Nonce
}

// AgentRef names an agent.
type AgentRef struct {
	ID sdk.AgentID `wire:"1,id,value,required"`
}

// DrainAgent has an agent's tasks ended. Said again it replaces the configuration.
type DrainAgent struct {
	ID     sdk.AgentID     `wire:"1,id,value,required"`
	Config sdk.DrainConfig `wire:"2,config,required"`
}

// KeepKills adds to what is to end on an agent that is away. A kill of the same task
// replaces the one before; those of frameworks that are no more are left out, and so are
// those above MaxAgentKills and MaxFrameworkKills (Result.Left counts these).
type KeepKills struct {
	ID    sdk.AgentID `wire:"1,id,value,required"`
	Kills []Kill      `wire:"2,kills"`
}

// Kill is a KILL that waits for its agent.
type Kill struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	TaskID      sdk.TaskID      `wire:"2,task_id,value,required"`
	KillPolicy  *sdk.KillPolicy `wire:"3,kill_policy"` // of the call; nil for the task's own
}

// TrimAgents forgets agents that are unreachable or gone since before a moment, and of
// what is left of either kind, the oldest first, all but so many.
type TrimAgents struct {
	Before int64  `wire:"1,before,required"` // unix nanoseconds, by the proposing leader's clock
	Keep   uint64 `wire:"2,keep,required"`   // most agents of each kind
}

// AdmitFramework lets a framework in. Without Info.ID Apply chooses one
// (Result.FrameworkID). An unknown id is accepted, a removed one refused. It
// clears the deadline: the framework is connected.
type AdmitFramework struct {
	Info sdk.FrameworkInfo `wire:"1,info,required"`
}

// FrameworkDisconnect starts a framework's deadline. It is said again while the framework
// is away: what counts for the next leader is Deadline less the command's Time.
type FrameworkDisconnect struct {
	ID       sdk.FrameworkID `wire:"1,id,value,required"`
	Deadline int64           `wire:"2,deadline,required"` // unix nanoseconds; the leader removes it then
}

// FrameworkRef names a framework.
type FrameworkRef struct {
	ID sdk.FrameworkID `wire:"1,id,value,required"`
}

// SetWeight gives a role its share against its siblings; 1 is the default.
type SetWeight struct {
	Role   string  `wire:"1,role,required"`
	Weight float64 `wire:"2,weight,required"`
}

// SetManifest says what init starts from now on.
type SetManifest struct {
	Manifest sdk.BootManifest `wire:"1,manifest,required"`
}

// Result is what Apply decided. Err is a refusal: the command changed nothing.
type Result struct {
	Index       uint64 // of the raft log; the registry's revision
	Version     uint32 // of the command as it was applied: consensus may have lowered it
	Err         *sdk.Error
	AgentID     sdk.AgentID     // of ADMIT_AGENT
	FrameworkID sdk.FrameworkID // of ADMIT_FRAMEWORK
	Generation  uint64          // of RAISE_GENERATION
	Left        int             // of KEEP_KILLS: how many did not fit
}
