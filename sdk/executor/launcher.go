package executor

import (
	"context"
	"os/signal"
	"syscall"

	"github.com/profferhq/proffer/sdk"
)

var _ = signal.Stop

// Launcher is a connection to the launcher of one agent work directory. Its
// methods may be called from several goroutines.
type Launcher struct {
	exits chan Exit
	done  chan struct{}
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

// Dial connects to the launcher behind a unix socket and agrees on a version. A
// launcher that runs as another user is refused.
func Dial(ctx context.Context, socket string) (*Launcher, error) { panic("soon") }

// Spawn starts `binary launcher --runtime runtime` detached from the caller (a
// session of its own), unless one serves already, and connects to it.
func Spawn(ctx context.Context, binary, runtime string) (*Launcher, error) { panic("soon") }

// Start starts an executor by its specification, at most once: a container id
// that was started before is answered with CodeConflict.
func (l *Launcher) Start(ctx context.Context, spec *sdk.LaunchSpec) (sdk.Process, error) {
	panic("soon")
}

// List tells every executor that the launcher knows, also those that ended and
// were not forgotten.
func (l *Launcher) List(ctx context.Context) ([]Managed, error) { panic("soon") }

// Signal sends a signal to the process group of a container's process.
func (l *Launcher) Signal(ctx context.Context, containerID string, sig syscall.Signal) error {
	panic("soon")
}

// Forget says that the container is empty and its end is durable with the agent:
// the launcher drains what is left of its output and drops it.
func (l *Launcher) Forget(ctx context.Context, containerID string) error { panic("soon") }

// Upgrade makes the launcher exec the binary in its place; children stay. The
// connection ends: dial again.
func (l *Launcher) Upgrade(ctx context.Context, binary string) error { panic("soon") }

// Shutdown makes the launcher end as soon as no process is left below it.
func (l *Launcher) Shutdown(ctx context.Context) error { panic("soon") }

// Exits tells each end of an executor once per connection, those from before the
// connection that were not forgotten included. It is closed with the connection.
func (l *Launcher) Exits() <-chan Exit { return l.exits }

// Done is closed when the connection has ended.
func (l *Launcher) Done() <-chan struct{} { return l.done }

// Close ends the connection; the launcher goes on.
func (l *Launcher) Close() error { panic("soon") }
