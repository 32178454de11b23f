package app

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// Labels that have a meaning here.
const (
	// LabelSingleInstance makes an app one that never has two instances at once.
	LabelSingleInstance = "MARATHON_SINGLE_INSTANCE_APP"
	// LabelDrain says for how many seconds an instance that is to go is shown as
	// TASK_KILLING before it gets SIGTERM.
	LabelDrain = "PROFFER_DRAIN_SECONDS"
)

// The roles that an app may have: those which marathonish subscribes to.
const (
	RoleDefault = "*"
	RoleSystem  = "system"
)

// App is one definition with every default filled in. Empty maps and slices are
// nil, so that equal definitions are equal values.
type App struct {
	ID   ID
	Cmd  *string // run by /bin/sh -c; nil where Args are given
	Args []string

	Instances int
	CPUs      float64 // at least 0.001
	Mem, Disk float64 // MB
	User      string  // "" is the framework's default
	Env       map[string]string
	Labels    map[string]string

	Role                  string
	AcceptedResourceRoles []string // nil: any of the app's role and *
	Constraints           []Constraint
	ResourceLimits        ResourceLimits

	BackoffSeconds        int
	BackoffFactor         float64 // at least 1
	MaxLaunchDelaySeconds int

	Fetch           []Fetch
	HealthChecks    []HealthCheck
	PortDefinitions []PortDefinition // nil: no port
	RequirePorts    bool             // the host ports must be those of PortDefinitions

	UpgradeStrategy     UpgradeStrategy
	UnreachableStrategy *UnreachableStrategy // nil is Marathon's "disabled": never replaced
	KillSelection       KillSelection
	TaskKillGracePeriod *int // seconds from SIGTERM to SIGKILL; nil is the framework's default

	// Told by whoever accepts the definition.
	Version            Version
	LastScalingAt      Version
	LastConfigChangeAt Version
}

// UpgradeStrategy bounds how many instances there are while they are replaced, as
// parts of Instances, each 0 to 1.
type UpgradeStrategy struct {
	MinimumHealthCapacity float64
	MaximumOverCapacity   float64
}

// UnreachableStrategy says what happens to an instance whose agent is unreachable.
type UnreachableStrategy struct {
	InactiveAfter int // seconds until a replacement is started
	ExpungeAfter  int // seconds until it is forgotten; at least InactiveAfter
}

// KillSelection says which instances go first when some must.
type KillSelection string

// The orders of KillSelection.
const (
	YoungestFirst KillSelection = "YOUNGEST_FIRST"
	OldestFirst   KillSelection = "OLDEST_FIRST"
)

// Clone is a copy that shares nothing that can be changed.
func (a *App) Clone() *App {
	c := *a
	c.Cmd, c.TaskKillGracePeriod, c.UnreachableStrategy = clonePointer(a.Cmd), clonePointer(a.TaskKillGracePeriod), clonePointer(a.UnreachableStrategy)
	c.ResourceLimits = ResourceLimits{CPUs: clonePointer(a.ResourceLimits.CPUs), Mem: clonePointer(a.ResourceLimits.Mem)}
	c.Args, c.AcceptedResourceRoles = slices.Clone(a.Args), slices.Clone(a.AcceptedResourceRoles)
	c.Env, c.Labels = maps.Clone(a.Env), maps.Clone(a.Labels)
	c.Constraints, c.Fetch = slices.Clone(a.Constraints), slices.Clone(a.Fetch)
	c.HealthChecks = slices.Clone(a.HealthChecks)
	for i, h := range c.HealthChecks {
		c.HealthChecks[i].PortIndex, c.HealthChecks[i].Port = clonePointer(h.PortIndex), clonePointer(h.Port)
	}
	c.PortDefinitions = slices.Clone(a.PortDefinitions)
	for i, p := range c.PortDefinitions {
		c.PortDefinitions[i].Labels = maps.Clone(p.Labels)
	}
	return &c
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// SameConfig tells whether a and b run the same thing in the same way: all but the
// number of instances, the version and the times is equal. A change between two such
// definitions restarts nothing.
func (a *App) SameConfig(b *App) bool {
	x, y := *a, *b
	x.Instances, x.Version, x.LastScalingAt, x.LastConfigChangeAt = 0, "", "", ""
	y.Instances, y.Version, y.LastScalingAt, y.LastConfigChangeAt = 0, "", "", ""
	return reflect.DeepEqual(x, y)
}

// SingleInstance tells whether two instances must never run at once.
func (a *App) SingleInstance() bool { return a.Labels[LabelSingleInstance] == "true" }

// Drain is for how long an instance that is to go keeps running, shown as
// TASK_KILLING, before SIGTERM: the label PROFFER_DRAIN_SECONDS; without it a second
// for an app with ports, so that balancers see it first, else nothing.
func (a *App) Drain() time.Duration {
	if s, ok := a.Labels[LabelDrain]; ok {
		if f, err := strconv.ParseFloat(s, 64); err == nil && f >= 0 && f <= maxDrainSeconds {
			return time.Duration(f * float64(time.Second))
		}
	}
	if len(a.PortDefinitions) > 0 {
		return time.Second
	}
	return 0
}

// maxDrainSeconds bounds a drain to a day.
const maxDrainSeconds = 86400

// Backoff is the first delay after a failure.
func (a *App) Backoff() time.Duration { return time.Duration(a.BackoffSeconds) * time.Second }

// MaxLaunchDelay is the longest delay after failures.
func (a *App) MaxLaunchDelay() time.Duration {
	return time.Duration(a.MaxLaunchDelaySeconds) * time.Second
}

// KillGrace is the time from SIGTERM to SIGKILL, or otherwise where the app says none.
func (a *App) KillGrace(otherwise time.Duration) time.Duration {
	if a.TaskKillGracePeriod == nil {
		return otherwise
	}
	return time.Duration(*a.TaskKillGracePeriod) * time.Second
}
