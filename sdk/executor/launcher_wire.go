package executor

import "github.com/profferhq/proffer/sdk"

// LauncherVersion is the version of the protocol between agent and launcher that
// this code speaks: msgpack records on a unix socket. The two agree on the lower
// of their versions at HELLO.
const LauncherVersion = 1

// LauncherSocket and ContainersDir are names below the runtime directory of an
// agent.
const (
	LauncherSocket = "launcher.sock"
	ContainersDir  = "containers"
)

// LauncherCall is what an agent asks a launcher.
type LauncherCall struct {
	ID          uint64           `wire:"1,id,required"` // of the answer too; never 0
	Type        LauncherCallType `wire:"2,type,required"`
	Version     uint32           `wire:"3,version"`      // HELLO
	Spec        *sdk.LaunchSpec  `wire:"4,spec"`         // START
	ContainerID string           `wire:"5,container_id"` // SIGNAL, FORGET
	Signal      int32            `wire:"6,signal"`       // SIGNAL
	Binary      string           `wire:"7,binary"`       // UPGRADE
}

// LauncherReply is the answer to a call, or with the ID 0 the end of an executor.
type LauncherReply struct {
	ID      uint64       `wire:"1,id,required"`
	Error   *sdk.Error   `wire:"2,error"`
	Version uint32       `wire:"3,version"`
	Process *sdk.Process `wire:"4,process"`
	Managed []Managed    `wire:"5,managed"`
	Exit    *Exit        `wire:"6,exit"`
}

// Managed is one process that a launcher knows.
type Managed struct {
	ContainerID string          `wire:"1,container_id,required"`
	FrameworkID sdk.FrameworkID `wire:"2,framework_id,value"`
	ExecutorID  sdk.ExecutorID  `wire:"3,executor_id,value"`
	Process     *sdk.Process    `wire:"4,process"`
	// Child tells whether this launcher is the parent: an executor left behind by
	// a dead launcher is not, and should get no new task.
	Child bool  `wire:"5,child"`
	Exit  *Exit `wire:"6,exit"` // set once it has ended, until Forget
}

// LauncherCallType is the kind of a LauncherCall.
type LauncherCallType string

// The kinds of calls.
const (
	LauncherHello    LauncherCallType = "HELLO" // the first on each connection
	LauncherStart    LauncherCallType = "START"
	LauncherList     LauncherCallType = "LIST"
	LauncherSignal   LauncherCallType = "SIGNAL"
	LauncherForget   LauncherCallType = "FORGET"
	LauncherUpgrade  LauncherCallType = "UPGRADE"
	LauncherShutdown LauncherCallType = "SHUTDOWN"
)

// Enum lists the names of LauncherCallType with their numbers.
func (LauncherCallType) Enum() []sdk.EnumValue {
	return []sdk.EnumValue{
		{Name: "HELLO", Number: 1},
		{Name: "START", Number: 2},
		{Name: "LIST", Number: 3},
		{Name: "SIGNAL", Number: 4},
		{Name: "FORGET", Number: 5},
		{Name: "UPGRADE", Number: 6},
		{Name: "SHUTDOWN", Number: 7},
	}
}
