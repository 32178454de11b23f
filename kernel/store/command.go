package store

import "github.com/profferhq/proffer/sdk"

// CommandVersion is the newest command format that this code knows: since 2 a lease knows
// the agent of its task.
const CommandVersion = 2

// CommandType says which member of Command is set.
type CommandType string

// The commands. Numbers are only ever added.
const (
	CommandCommit CommandType = "COMMIT" // a transaction
	CommandGrant  CommandType = "GRANT"  // a new lease, named by its index
	CommandRevoke CommandType = "REVOKE" // the end of a lease and of its keys
)

// Enum lists the names of CommandType with their numbers on disk.
func (CommandType) Enum() []sdk.EnumValue {
	return []sdk.EnumValue{{Name: "COMMIT", Number: 1}, {Name: "GRANT", Number: 2}, {Name: "REVOKE", Number: 3}}
}

// Space names one key-value space.
type Space struct {
	Principal string `wire:"1,principal"` // empty in a cluster without credentials
	Name      string `wire:"2,name,required"`
}

// Command is one change of one space. Version 0 is written as CommandVersion.
type Command struct {
	Version uint32           `wire:"1,version,required"`
	Type    CommandType      `wire:"2,type,required"`
	Space   Space            `wire:"3,space,required"`
	Limit   uint64           `wire:"4,limit"` // of the space in bytes, as the proposing leader has it; 0 for DefaultSpaceLimit
	Commit  *sdk.StoreCommit `wire:"5,commit"`
	Grant   *Grant           `wire:"6,grant"`
	Revoke  *Revoke          `wire:"7,revoke"`
}

// Grant makes a lease.
type Grant struct {
	TTL         int64           `wire:"1,ttl,required"`       // nanoseconds
	FrameworkID sdk.FrameworkID `wire:"2,framework_id,value"` // of the task that it ends with, if any
	TaskID      sdk.TaskID      `wire:"3,task_id,value"`      // the same
	AgentID     sdk.AgentID     `wire:"4,agent_id,value"`     // where that task is; empty when the token does not say
}

// Revoke ends a lease.
type Revoke struct {
	Lease string `wire:"1,lease,required"`
	Cause Cause  `wire:"2,cause"`
}

// Cause says why a lease ended.
type Cause string

// The causes.
const (
	Released  Cause = "RELEASED"   // by its holder
	Expired   Cause = "EXPIRED"    // nobody kept it alive
	TaskEnded Cause = "TASK_ENDED" // so did the task that it was bound to
)

// Enum lists the names of Cause with their numbers on disk.
func (Cause) Enum() []sdk.EnumValue {
	return []sdk.EnumValue{{Name: "RELEASED", Number: 1}, {Name: "EXPIRED", Number: 2}, {Name: "TASK_ENDED", Number: 3}}
}

// Changes are what one revision changed in one space. Nobody changes them.
type Changes struct {
	Space    Space
	Revision uint64
	List     []sdk.StoreChange
}

// Result is what Apply decided. Err is a refusal: the command changed nothing.
type Result struct {
	Index   uint64 // of the replicated log: the revision
	Err     *sdk.Error
	Held    bool   // of COMMIT: the compares held
	Granted *Lease // of GRANT
	Ended   *Lease // of REVOKE
	Changes Changes
}
