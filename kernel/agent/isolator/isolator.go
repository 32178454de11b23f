package isolator

import (
	"context"
	"errors"
	"math"
	"syscall"

	"github.com/profferhq/proffer/kernel/agent/usage"
	"github.com/profferhq/proffer/kernel/agent/users"
	"github.com/profferhq/proffer/sdk"
)

// Container is what isolators know of a container: plain data that the agent can
// rebuild from its checkpoint. A fresh ID names each run; it is never used again.
type Container struct {
	ID          string
	FrameworkID sdk.FrameworkID
	ExecutorID  sdk.ExecutorID
	TaskID      sdk.TaskID // empty for the container of an executor

	Resources []sdk.Resource        // what it was granted: the lower bounds
	Limits    map[string]sdk.Scalar // upper bounds of cpus and mem, as in TaskInfo.limits; +Inf means none
	Info      *sdk.ContainerInfo    // rlimits and more that the framework asked for; may be nil

	User       users.Identity
	SandboxDir string // the task's working directory, its user's
	RuntimeDir string // FIFOs, marker, records: root's
	LogDir     string // rotated output: root's

	Process *sdk.Process // nil until it is known to run
}

// Isolator keeps containers apart in one respect. Errors are sentences for the
// task's status.
type Isolator interface {
	// Name is the word by which reports name this isolator, such as "cgroup".
	Name() string
	// Prepare makes what the container needs on this host and adds to the launch
	// specification what its parent must apply.
	Prepare(ctx context.Context, c *Container, spec *sdk.LaunchSpec) error
	// Cleanup removes everything that Prepare made, also after a Prepare that
	// failed half-way. It may be called again, and does nothing then. It refuses
	// while processes of the container live.
	Cleanup(ctx context.Context, c *Container) error
}

// Destroyer is an Isolator that can end a container's processes.
type Destroyer interface {
	// Destroy kills every process of the container and returns nil only when none
	// is left. It tries until ctx ends, and says then what is in the way.
	Destroy(ctx context.Context, c *Container) error
}

// Recoverer is an Isolator that finds what an earlier agent has left.
type Recoverer interface {
	// Recover takes up the known containers, and destroys and cleans everything
	// below this agent's own parent that is not among them. It returns the ids of
	// those orphans, sorted, also with an error.
	Recover(ctx context.Context, known []*Container) (orphans []string, err error)
}

// Watcher is an Isolator with limits that can be reached.
type Watcher interface {
	// Reached says which limit the container has run into so far, nil when none.
	// After the exit and before Cleanup its answer is final.
	Reached(ctx context.Context, c *Container) (*Limitation, error)
	// Watch tells every limit that a running container runs into, until ctx ends.
	// One container may be told more than once. tell must not block for long.
	Watch(ctx context.Context, tell func(containerID string, l Limitation)) error
}

// Resizer is an Isolator that can change the bounds of a running container.
type Resizer interface {
	// Resize sets the bounds that Resources and Limits of c say now. A bound below
	// what is in use may be refused, and the old one holds on then.
	Resize(ctx context.Context, c *Container) error
}

// Sampler is an Isolator that can measure what a container uses.
type Sampler interface {
	// Sample fills in the numbers that this isolator knows.
	Sample(ctx context.Context, c *Container, into *usage.Sample) error
}

// Limitation is a limit that was reached: the reason for programs, a sentence for
// people.
type Limitation struct {
	Reason  sdk.Reason
	Message string
	Kills   bool // what is left of the container must be killed
}

// ReasonOf is the task status's reason for a failed Prepare: a full disk is told
// apart from every other failure.
func ReasonOf(err error) sdk.Reason {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return sdk.ReasonContainerLimitationDisk
	}
	return sdk.ReasonContainerLaunchFailed
}

// Scalar sums the scalar resource of that name, over all roles and reservations.
func (c *Container) Scalar(name string) float64 {
	milli := int64(0)
	for i := range c.Resources {
		r := &c.Resources[i]
		if r.Name == name && r.Scalar != nil {
			milli += int64(math.Round(r.Scalar.Value * 1000))
		}
	}
	return float64(milli) / 1000
}

// Limit is the upper bound of that name, and whether there is one; an infinite
// limit counts as set and is returned as +Inf.
func (c *Container) Limit(name string) (float64, bool) {
	l, ok := c.Limits[name]
	return l.Value, ok
}
