package cgroup

import (
	"runtime"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Options say which groups are this agent's and what its containers get by default.
type Options struct {
	Parent string // name of the parent group, "proffer-" and a suffix of this agent's own

	ParentCPUs  float64 // what all containers weigh together against the machine's other processes, in processors; those there are by default, 0 leaves the kernel's default of one
	MemoryFloor uint64  // bytes; a smaller hard limit is raised to this, 32 MiB by default: a Go program does not even start in less
	PidsDefault uint64  // threads of a container that has no resource "pids"; it counts threads, and a JVM has hundreds

	FreezeWait time.Duration // how long one round of killing waits for the freezer
	OOMArm     time.Duration // age at which a container's out-of-memory event is armed; short ones are looked at when they end

	MountInfo  string // "/proc/self/mountinfo" when empty
	NoTracking bool   // v1 only: do without a tracking group on the cgroup2 mount
}

// DefaultOptions are those of an agent; only Parent is missing.
func DefaultOptions() Options {
	return Options{
		ParentCPUs:  float64(runtime.NumCPU()),
		MemoryFloor: 32 << 20,
		PidsDefault: 1024,
		FreezeWait:  500 * time.Millisecond,
		OOMArm:      time.Second,
		MountInfo:   "/proc/self/mountinfo",
	}
}

func (o *Options) validate() error {
	if !strings.HasPrefix(o.Parent, "proffer") || strings.ContainsRune(o.Parent, '/') {
		return sdk.Errorf(sdk.CodeInvalid, "parent", "the parent group must have a name that begins with proffer, not %q", o.Parent)
	}
	d := DefaultOptions()
	if o.MountInfo == "" {
		o.MountInfo = d.MountInfo
	}
	if o.PidsDefault == 0 {
		o.PidsDefault = d.PidsDefault
	}
	if o.FreezeWait == 0 {
		o.FreezeWait = d.FreezeWait
	}
	if o.OOMArm == 0 {
		o.OOMArm = d.OOMArm
	}
	return nil
}

// Report is what Open found, for the log and the agent's attributes.
type Report struct {
	Backend     string    // "cgroup1", "cgroup1+tracking" or "cgroup2"
	Host        string    // the host's mode: legacy, hybrid, unified or unavailable
	Controllers []string  // those that limit and measure, sorted
	Missing     []Missing // those that do not, each with the reason
}

// Missing is an isolation that this agent can not give.
type Missing struct {
	Name string // cpu, memory, pids or kill
	Why  string
}
