package executor

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Exit is the end of a process.
type Exit struct {
	ContainerID string      `wire:"1,container_id"` // empty for an inherited process of no known container
	Process     sdk.Process `wire:"2,process"`
	Known       bool        `wire:"3,known"`       // false: it ended, and its status could not be collected
	WaitStatus  int32       `wire:"4,wait_status"` // the raw status of wait(2), when known
	Nanos       int64       `wire:"5,nanos"`       // wall clock of the observation, nanoseconds since 1970
	Cgroup      string      `wire:"6,cgroup"`      // its v2 group, where the kernel still told
}

// Time is when the end was observed.
func (e Exit) Time() time.Time { return time.Unix(0, e.Nanos) }

// Record is what the runtime directory of a container tells of its launch.
type Record struct {
	Spec    sdk.LaunchSpec
	Process sdk.Process // PID 0: the process was never made
	Began   bool        // the child got as far as executing the program
	Exit    *Exit       // nil while it runs, or when its parent died before it
	Kill    *KillNote   // why it is being killed, if it is
	Settled bool        // its terminal update was acknowledged
}

// KillNote is the reason that a killer left before its first signal, so that a
// successor goes on with the same escalation and the same final state.
type KillNote struct {
	Reason KillReason
	At     time.Time     // when SIGTERM was sent
	Grace  time.Duration // from SIGTERM to SIGKILL
}

// KillReason is why a task is killed. The numbers are on disk.
type KillReason uint8

// The reasons for a kill.
const (
	KillAsked    KillReason = 1 // by the framework, or the executor is shut down
	KillDeadline KillReason = 2 // max_completion_time
	KillGroup    KillReason = 3 // another task of its group failed
)

// ReadRecord reads the record of the container whose runtime directory is given.
// sdk.CodeNotFound: no launch was begun there.
func ReadRecord(runtimeDir string) (*Record, error) { panic("soon") }

// FindExit looks for the end of a process that had another parent: first in the
// records of launchers and agents below runtime, then, with a pidfd that was open
// before the end (or -1), in the kernel (Linux >= 6.15). Known is false in the
// answer when the process is gone and nobody can tell; ok is false while it lives.
func FindExit(runtime string, p sdk.Process, pidfd int) (e Exit, ok bool, err error) { panic("soon") }

// Reaper collects the orphans of a child subreaper (the launcher, and the agent
// for a dead launcher) and records each end below runtime before it reaps.
type Reaper struct{}

// NewReaper makes the calling process a child subreaper. name ("agent") names the
// record file; known tells the pids that somebody else waits for, such as those
// of os/exec, which are left alone.
func NewReaper(runtime, name string, known func(pid int) bool) (*Reaper, error) { panic("soon") }

// Reap records and reaps every orphan that has ended; call it at each SIGCHLD.
func (r *Reaper) Reap() (int, error) { panic("soon") }

// Close releases the record file; the subreaper flag stays.
func (r *Reaper) Close() error { panic("soon") }
