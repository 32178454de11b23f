package cluster

import (
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// framework is one framework that the registry holds, or that is on its way there.
type framework struct {
	info        sdk.FrameworkInfo
	caps        capabilities
	roles       []string // sorted
	constraints *sdk.OfferConstraints
	operator    bool // its subscriber may do what operators may

	session    Session // of the newest subscription; empty when there is none
	subscribed bool    // SUBSCRIBED was sent on it
	returning  int     // admissions of it that are proposed
	leaving    bool    // it said TEARDOWN itself
	removing   bool    // its removal is proposed
	zombie     bool    // removed; agents are still ending what it has

	registered   time.Time
	reregistered time.Time
	away         bool      // its deadline runs
	recovered    bool      // its scheduler was not here since this leader began
	deadline     time.Time // until when it must be back
	keepAt       time.Time // when that is written down next

	tasks  map[sdk.TaskID]*task
	twins  map[sdk.TaskID][]*task // others of the same ids, by when they were told of
	offers map[sdk.OfferID]*offer
	at     map[sdk.AgentID]int       // tasks and executors per agent
	kills  map[sdk.TaskID]*link.Kill // without an agent, of tasks that nobody here knows while agents are still to come back
}

// capabilities are what a framework said it understands.
type capabilities struct {
	partitionAware bool
	multiRole      bool
	refinement     bool
	revocable      bool
	shared         bool
	gpu            bool
	regionAware    bool
}

func capabilitiesOf(info *sdk.FrameworkInfo) capabilities {
	return capabilities{
		partitionAware: hasCapability(info, sdk.CapabilityPartitionAware),
		multiRole:      hasCapability(info, sdk.CapabilityMultiRole),
		refinement:     hasCapability(info, sdk.CapabilityReservationRefinement),
		revocable:      hasCapability(info, sdk.CapabilityRevocableResources),
		shared:         hasCapability(info, sdk.CapabilitySharedResources),
		gpu:            hasCapability(info, sdk.CapabilityGPUResources),
		regionAware:    hasCapability(info, sdk.CapabilityRegionAware),
	}
}

func newFramework(info sdk.FrameworkInfo, now time.Time) *framework {
	f := &framework{
		registered: now,
		tasks:      map[sdk.TaskID]*task{},
		twins:      map[sdk.TaskID][]*task{},
		offers:     map[sdk.OfferID]*offer{},
		at:         map[sdk.AgentID]int{},
		kills:      map[sdk.TaskID]*link.Kill{},
	}
	f.describe(info)
	return f
}

// describe replaces what the framework says about itself.
func (f *framework) describe(info sdk.FrameworkInfo) {
	f.info = info
	f.caps = capabilitiesOf(&info)
	f.roles = rolesOf(&info)
}

func (f *framework) id() sdk.FrameworkID { return f.info.ID }

// mayBeAway is how long the framework may be without a stream.
func (f *framework) mayBeAway() time.Duration {
	const century = 100 * 365 * 24 * time.Hour
	seconds := f.info.FailoverTimeout
	switch {
	case !(seconds > 0):
		return 0
	case seconds >= century.Seconds():
		return century
	}
	return time.Duration(seconds * float64(time.Second))
}

// sortedTasks are the framework's tasks in order of their ids, with twins.
func (f *framework) sortedTasks() (list []*task) {
	for _, id := range sortedKeys(f.tasks) {
		list = append(append(list, f.tasks[id]), f.twins[id]...)
	}
	return list
}

// holds counts a task or executor of the framework on an agent, d is 1 or -1.
func (f *framework) holds(agent sdk.AgentID, d int) {
	if f.at[agent] += d; f.at[agent] <= 0 {
		delete(f.at, agent)
	}
}

// stateFor is a state as the framework understands it: without PARTITION_AWARE
// all ways of being lost are one.
func (f *framework) stateFor(s sdk.TaskState) sdk.TaskState {
	if f.caps.partitionAware {
		return s
	}
	switch s {
	case sdk.TaskUnreachable, sdk.TaskDropped, sdk.TaskGone, sdk.TaskGoneByOperator, sdk.TaskUnknown:
		return sdk.TaskLost
	}
	return s
}
