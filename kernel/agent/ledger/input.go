package ledger

import (
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// Input is a fact for Step. What an Input points to belongs to the Ledger from
// then on; nobody may change it.
type Input interface{ input() }

// Recovered ends the recovery: the machine's boot id, and the containers of
// executors whose process still lives. Tasks of another boot can not live.
type Recovered struct {
	BootID string
	Alive  map[string]bool // container ids of executors
}

// Totals are the agent's resources and attributes, as detected or declared; told
// at start and whenever an operator changes them.
type Totals struct {
	Resources  sdk.Resources
	Attributes []sdk.Attribute
	Overhead   sdk.Resources // of what was detected, kept for the agent's own processes
}

// Opened begins a new link stream; its number is higher than all before. Events of
// older streams are ignored from now on.
type Opened struct{ Stream uint64 }

// Closed ends a link stream.
type Closed struct{ Stream uint64 }

// FromMaster is an event that came down a link stream.
type FromMaster struct {
	Stream uint64
	Event  *link.Event
}

// FromExecutor is a call of an executor. Conn is the number of the connection that
// the call opened (SUBSCRIBE), or 0.
type FromExecutor struct {
	Conn uint64
	Call *sdk.ExecutorCall
}

// ExecutorClosed ends an executor's connection.
type ExecutorClosed struct{ Conn uint64 }

// ExecutorStarted answers StartExecutor.
type ExecutorStarted struct {
	ContainerID string
	Process     sdk.Process
}

// ExecutorExited tells that an executor's process has ended, or (Status -1) that
// it could not be started.
type ExecutorExited struct {
	ContainerID string
	Status      int32 // raw wait status, -1 when unknown
	Reason      sdk.Reason
	Message     string
}

// Parents tells which executors the launcher of now is the parent of. Others, of a
// launcher that died, finish what they have and get no new task.
type Parents struct{ Children map[string]bool } // by container

// Prepared answers Prepare: the container stands, and Spec says how to start it.
type Prepared struct {
	ContainerID string
	Spec        *sdk.LaunchSpec
	Note        string // said with the task's first update, such as the user that it runs as
}

// PrepareFailed answers Prepare.
type PrepareFailed struct {
	ContainerID string
	State       sdk.TaskState // TASK_FAILED, or TASK_ERROR for what never can run
	Reason      sdk.Reason
	Message     string
}

// Emptied answers Destroy: no process of the container is left (in plain-process
// mode: as far as can be known).
type Emptied struct {
	ContainerID string
	Limit       *Limit // the limit that the container ran into, nil for none
	Exit        *int32 // raw wait status of its process as the agent saw it, nil when it could not
}

// LimitReached tells that a running container must end because of a limit.
type LimitReached struct {
	ContainerID string
	Limit       Limit
}

// Limit is a bound that a container ran into.
type Limit struct {
	Reason    sdk.Reason
	Message   string
	Resources []sdk.Resource // what was exceeded
}

// StopAll ends every task and executor of the agent, as a clean stop of a machine
// does. Updates are kept for the next start.
type StopAll struct{}

// Tick lets time pass.
type Tick struct{}

func (Recovered) input()       {}
func (Totals) input()          {}
func (Opened) input()          {}
func (Closed) input()          {}
func (FromMaster) input()      {}
func (FromExecutor) input()    {}
func (ExecutorClosed) input()  {}
func (ExecutorStarted) input() {}
func (ExecutorExited) input()  {}
func (Parents) input()         {}
func (Prepared) input()        {}
func (PrepareFailed) input()   {}
func (Emptied) input()         {}
func (LimitReached) input()    {}
func (StopAll) input()         {}
func (Tick) input()            {}

// Vanished tells that the agent itself saw a task's process end. The executor's
// report comes first as a rule; this is for when none comes. Status is the raw
// wait status, or nil when nobody could collect it.
type Vanished struct {
	ContainerID string
	Status      *int32
}

func (Vanished) input() {}
