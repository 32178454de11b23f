package ledger

import (
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// Effect is something for the shell to do, once all records of the same Ready are
// durable. Effects are never changed after they were handed out.
type Effect interface{ effect() }

// SendMaster posts a call on the stream; it may get lost with the stream.
type SendMaster struct {
	Stream uint64
	Call   *link.Call
}

// CloseLink closes the stream, for the reason given, and connects anew.
type CloseLink struct {
	Stream uint64
	Reason string
}

// SendExecutor sends an event down an executor's connection. The first one on a
// connection is SUBSCRIBED.
type SendExecutor struct {
	Conn  uint64
	Event *sdk.ExecutorEvent
}

// CloseExecutor closes an executor's connection. With Err set the SUBSCRIBE that
// opened it is refused with that.
type CloseExecutor struct {
	Conn uint64
	Err  *sdk.Error
}

// StartExecutor makes the executor's container and starts its process.
type StartExecutor struct {
	ContainerID  string
	Framework    *sdk.FrameworkInfo
	Info         *sdk.ExecutorInfo // with executor_id and framework_id
	Default      bool              // the agent's own program instead of Info.Command
	Adopts       bool              // a predecessor died: its tasks are to be adopted
	AllowedUsers []string
}

// Prepare makes a task's container: directories, groups, files.
type Prepare struct {
	ContainerID  string
	Framework    *sdk.FrameworkInfo
	ExecutorID   sdk.ExecutorID
	Task         *sdk.TaskInfo
	AllowedUsers []string
	Principal    string // of the framework that the task is, empty when it is none
}

// Resize changes what the container of a framework's own executor may use: its
// tasks come and go. It comes before the LAUNCH that needs it.
type Resize struct {
	ContainerID string
	Resources   sdk.Resources
}

// Destroy ends whatever runs or is being prepared in a container, and removes all
// but its sandbox and output.
type Destroy struct {
	ContainerID string
	Executor    bool // the container of an executor, not of a task
}

// Retire says that the agent is not wanted any more and must not come back under
// its id.
type Retire struct{ Message string }

// Note is for the agent's log: something refused or given up.
type Note struct {
	Message string
	Key     string // what it is about, such as a task id
}

func (SendMaster) effect()    {}
func (CloseLink) effect()     {}
func (SendExecutor) effect()  {}
func (CloseExecutor) effect() {}
func (StartExecutor) effect() {}
func (Prepare) effect()       {}
func (Resize) effect()        {}
func (Destroy) effect()       {}
func (Retire) effect()        {}
func (Note) effect()          {}
