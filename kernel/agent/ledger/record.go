package ledger

import (
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// RecordVersion is the format of Record that this code writes, and the newest
// that it reads.
const RecordVersion = 1

// Record is one durable fact. Exactly one of its bodies is set. At is the time of
// the fact in nanoseconds since 1970.
type Record struct {
	At         int64             `wire:"1,at"`
	Agent      *AgentRecord      `wire:"2,agent"`
	Fence      *link.Fence       `wire:"3,fence"`
	Framework  *FrameworkRecord  `wire:"4,framework"`
	Gone       *FrameworkGone    `wire:"5,gone"`
	Executor   *ExecutorRecord   `wire:"6,executor"`
	Process    *ProcessRecord    `wire:"7,process"`
	End        *ExecutorEnd      `wire:"8,executor_end"`
	Task       *TaskRecord       `wire:"9,task"`
	Kill       *KillRecord       `wire:"10,kill"`
	Update     *UpdateRecord     `wire:"11,update"`
	Ack        *AckRecord        `wire:"12,ack"`
	Done       *DoneRecord       `wire:"13,done"`
	Tombstones *TombstonesRecord `wire:"14,tombstones"`
}

// MayBeLate says that effects need not wait for the record to be durable: when it
// is lost, the acknowledgement comes again because the update does.
func (r *Record) MayBeLate() bool { return r.Ack != nil }

// AgentRecord is who the agent is, and which boot of the machine the records
// after it belong to.
type AgentRecord struct {
	ID     sdk.AgentID `wire:"1,id,value"`
	BootID string      `wire:"2,boot_id"`
	Holed  int64       `wire:"3,holed"` // when a part of the checkpoint was found to be lost, in nanoseconds since 1970; 0 for never
	Nonce  string      `wire:"4,nonce"` // link.Register.Nonce, until there is an id
}

// FrameworkRecord is what the agent knows of a framework; the newest holds.
type FrameworkRecord struct {
	Info sdk.FrameworkInfo `wire:"1,info,required"`
}

// FrameworkGone says that a framework was removed: nobody acknowledges for it.
type FrameworkGone struct {
	ID sdk.FrameworkID `wire:"1,id,value,required"`
}

// ExecutorRecord is an executor that is wanted; the newest holds.
type ExecutorRecord struct {
	Info         sdk.ExecutorInfo `wire:"1,info,required"` // with framework_id
	ContainerID  string           `wire:"2,container_id,required"`
	Default      bool             `wire:"3,default"`
	AllowedUsers []string         `wire:"4,allowed_users"`
}

// ProcessRecord is the process of an executor or (with TaskID) of a task.
type ProcessRecord struct {
	ContainerID string      `wire:"1,container_id,required"`
	Process     sdk.Process `wire:"2,process,required"`
}

// ExecutorEnd takes an executor out of the books.
type ExecutorEnd struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	ExecutorID  sdk.ExecutorID  `wire:"2,executor_id,value,required"`
}

// TaskRecord admits a task.
type TaskRecord struct {
	FrameworkID  sdk.FrameworkID `wire:"1,framework_id,value,required"`
	ExecutorID   sdk.ExecutorID  `wire:"2,executor_id,value,required"`
	ContainerID  string          `wire:"3,container_id"` // empty for a task inside of a custom executor
	Group        string          `wire:"4,group"`        // equal for the tasks of one group
	Info         sdk.TaskInfo    `wire:"5,info,required"`
	AllowedUsers []string        `wire:"6,allowed_users"`
	Principal    string          `wire:"7,principal"`
	Refused      bool            `wire:"8,refused"` // holds nothing; is here until its status is acknowledged
	BootID       string          `wire:"9,boot_id"` // of the machine when it was admitted
}

// KillRecord says that a task was asked to end.
type KillRecord struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	TaskID      sdk.TaskID      `wire:"2,task_id,value,required"`
	KillPolicy  *sdk.KillPolicy `wire:"3,kill_policy"`
	Reason      sdk.Reason      `wire:"4,reason"` // for its status; empty when somebody asked for this very task
}

// UpdateRecord is a status that awaits its acknowledgement.
type UpdateRecord struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	Status      sdk.TaskStatus  `wire:"2,status,required"`
	Process     *sdk.Process    `wire:"3,process"`
	Acked       bool            `wire:"4,acked"` // in snapshots: the last status of a task that awaits nothing
}

// AckRecord is the framework's acknowledgement of the oldest update of a task. A
// terminal one makes the task a tombstone.
type AckRecord struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	TaskID      sdk.TaskID      `wire:"2,task_id,value,required"`
	UUID        []byte          `wire:"3,uuid,required"`
}

// DoneRecord makes a task a tombstone without an acknowledgement, because its
// framework is gone.
type DoneRecord struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	TaskID      sdk.TaskID      `wire:"2,task_id,value,required"`
	State       sdk.TaskState   `wire:"3,state,required"`
	Reason      sdk.Reason      `wire:"4,reason"`
}

// TombstonesRecord is a part of a snapshot: ids that are used up, oldest first.
type TombstonesRecord struct {
	FrameworkID sdk.FrameworkID `wire:"1,framework_id,value,required"`
	Tasks       []Tombstone     `wire:"2,tasks"`
}

// Tombstone is a task id that is used up, and how it ended.
type Tombstone struct {
	TaskID sdk.TaskID    `wire:"1,task_id,value,required"`
	State  sdk.TaskState `wire:"2,state,required"`
	Reason sdk.Reason    `wire:"3,reason"`
	At     int64         `wire:"4,at"` // seconds since 1970
}
