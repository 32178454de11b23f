package sdktest

import (
	"log/slog"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Options describe the cluster of a test. The zero value is one agent, credentials
// on, and the kernel's own default times.
type Options struct {
	// Agents are the machines; none means one with DefaultResources. The name is
	// the hostname and what the fault functions want.
	Agents []Agent
	// Run decides what becomes of a task, once for each; nil for Command. The
	// kernel stands still meanwhile, so it must not call it.
	Run func(task sdk.TaskInfo) Outcome
	// Token is what clients must show; "-" for a cluster without credentials
	// (--insecure). Empty for "sdktest".
	Token string
	// OfferTimeout, AgentTimeout and Heartbeat replace the kernel's defaults (30 s,
	// 10 s, and 15 s between HEARTBEAT events) where they are set.
	OfferTimeout time.Duration
	AgentTimeout time.Duration
	Heartbeat    time.Duration
	// StoreLimit is how many bytes a space of the store may have, where it is set
	// (masters' --store-limit).
	StoreLimit uint64
	// Network serves the master at "master:5050" in memory instead of on a socket,
	// for tests inside a testing/synctest bubble.
	Network *Memory
	// Log gets what the kernel logs; nil for none.
	Log *slog.Logger
}

// Agent is one simulated machine.
type Agent struct {
	Name       string // "agent1", "agent2"… when empty
	Resources  string // such as "cpus:4;mem:1024"; DefaultResources when empty
	Attributes string // such as "rack:a;level:3"
}

// DefaultResources are what an agent has unless its test says otherwise.
const DefaultResources = "cpus:4;mem:4096;disk:10240;ports:[31000-31099]"

const (
	memoryAddr   = "master:5050"
	defaultToken = "sdktest"
	insecure     = "-"
)

// Outcome is what becomes of a task that was started.
type Outcome struct {
	// Endless runs until it is killed, or until Kernel.End; the rest holds then
	// for nothing.
	Endless bool
	// After is how long it runs, in the kernel's time.
	After time.Duration
	// Exit is its exit status: 0 is TASK_FINISHED, else TASK_FAILED.
	Exit int
	// Signal ends it instead, such as "Killed" (the name that the message has).
	Signal string
	// State, Reason and Message replace what follows from Exit and Signal, such as
	// TASK_FAILED with REASON_CONTAINER_LIMITATION_MEMORY.
	State   sdk.TaskState
	Reason  sdk.Reason
	Message string
	// Deaf ignores SIGTERM, so that a kill needs its grace and SIGKILL.
	Deaf bool
	// HealthyAfter is when every health check of the task succeeds first; below zero
	// for never. SickAfter, above zero, is when all of them begin to fail, once each
	// interval. A task without checks has no health.
	HealthyAfter, SickAfter time.Duration
	// Refuse fails the launch before anything runs, with this message
	// (REASON_CONTAINER_LAUNCH_FAILED).
	Refuse string
}
