package fleet

import (
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/health"
	"github.com/profferhq/proffer/sdk"
)

// Instance is one task of an app, as readers see it.
type Instance struct {
	App     app.ID
	Index   int // 0 … instances-1; while a replacement stands beside its predecessor both have it
	TaskID  sdk.TaskID
	AgentID sdk.AgentID
	Host    string
	IPs     []string
	Ports   []int // in the order of the port definitions
	Version app.Version
	State   string // TASK_…; TASK_KILLING from the decision to end it, while it drains
	Role    string

	StagedAt  time.Time
	StartedAt time.Time // zero until it runs

	Checks  []health.Result // one for each health check that has a result, in their order
	Healthy *bool           // nil: no checks, or not known yet
	Why     string          // why it is being ended; empty when it is not
}

// CheckResult is what a health check of an instance has found so far.
type CheckResult = health.Result

// Failure is the last end of an instance that nobody wanted.
type Failure struct {
	App     app.ID
	Host    string
	Message string
	State   string
	TaskID  sdk.TaskID
	At      time.Time
	Version app.Version
	AgentID sdk.AgentID
}

// AppStatus is an app with what there is of it.
type AppStatus struct {
	App         *app.App
	Instances   []Instance // by index, then by age
	Staged      int
	Running     int
	Healthy     int
	Unhealthy   int
	Deployments []string
	LastFailure *Failure // nil when there was none
}
