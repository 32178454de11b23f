package executor

import (
	"context"
	"log/slog"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// Env is what an agent tells an executor in its environment.
type Env struct {
	FrameworkID   sdk.FrameworkID
	ExecutorID    sdk.ExecutorID
	AgentID       sdk.AgentID
	Directory     string // the sandbox
	Endpoint      string // host:port of the agent
	DomainSocket  string // unix socket of the agent; preferred when set
	Token         string // bearer token for the executor API
	Checkpoint    bool
	ShutdownGrace time.Duration
	Recovery      time.Duration // how long to try to come back to a restarting agent
	BackoffMax    time.Duration // longest pause between two attempts
}

// FromEnv reads the environment that the agent set (MESOS_*). getenv is usually
// os.Getenv. The error names the variable.
func FromEnv(getenv func(string) string) (Env, error) { panic("soon") }

// Options says how a Driver works. Env and Handle are required.
type Options struct {
	Env      Env
	Encoding wire.Encoding
	// Handle gets every event of the agent, one at a time.
	Handle func(d *Driver, e *sdk.ExecutorEvent)
	Log    *slog.Logger // nil: no log
}

// Driver is an executor's side of the executor API.
type Driver struct{}

// New makes a driver; it does nothing before Run.
func New(o Options) (*Driver, error) { panic("soon") }

// Run subscribes and serves until the handler calls Stop, ctx ends, or the agent
// stays away for longer than Env.Recovery (an error).
func (d *Driver) Run(ctx context.Context) error { panic("soon") }

// Update sends a status and keeps it until the agent has acknowledged it.
func (d *Driver) Update(u sdk.ExecutorUpdate) { panic("soon") }

// Message sends opaque bytes to the framework's scheduler, unreliably.
func (d *Driver) Message(data []byte) { panic("soon") }

// Stop makes Run return once every update is acknowledged, or after wait.
func (d *Driver) Stop(wait time.Duration) { panic("soon") }
