package cluster

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// agent is one machine, or one whose return is awaited.
type agent struct {
	id      sdk.AgentID
	info    sdk.AgentInfo // with id, resources normalized
	version string
	address string
	url     *sdk.URL
	session Session // of its stream; empty while it has none

	state   agentState
	marking bool // its loss is proposed
	// returning counts admissions of it that are proposed; its loss is not proposed beside
	// one, or the registry might end with the one and this mind with the other.
	returning int
	shrunk    bool // what it runs is more than it has now
	heard     time.Time
	told      time.Time
	lostAt    time.Time // when it became unreachable, as the registry has it
	lostHere  bool      // under this leader: lostAt is of its clock
	suspect   bool      // gossip does not reach it
	waits     bool      // for the rate of removals to let it go
	look      time.Time // when its silence is looked at next; zero: never

	deactivated bool           // nothing of it is offered
	drain       *sdk.DrainInfo // nil unless it is to be drained
	drainSince  time.Time

	registered   time.Time
	reregistered time.Time

	tasks     map[taskKey]*task
	executors map[executorKey]*executor
	byOwner   map[sdk.FrameworkID][]sdk.ExecutorID // sorted
	offers    map[sdk.OfferID]*offer
	questions []link.Reconcile       // to be asked when it is back
	kills     map[taskKey]*link.Kill // of tasks that this leader does not know, for its return
	keeps     bool                   // the registry keeps kills for it
}

type agentState uint8

const (
	agentRecovering  agentState = iota // the registry has it, this leader has not seen it
	agentHere                          // registered with this leader, with a stream or lately
	agentUnreachable                   // silent for too long
	agentGone                          // given up by an operator
)

// maxQuestions bounds what is remembered to be asked from an agent that is away;
// frameworks ask again.
const maxQuestions = 1000

func newAgent(id sdk.AgentID) *agent {
	return &agent{
		id:        id,
		tasks:     map[taskKey]*task{},
		executors: map[executorKey]*executor{},
		byOwner:   map[sdk.FrameworkID][]sdk.ExecutorID{},
		offers:    map[sdk.OfferID]*offer{},
		kills:     map[taskKey]*link.Kill{},
	}
}

// describe replaces what the agent says about itself.
func (a *agent) describe(info sdk.AgentInfo, version, address string) {
	info.ID = a.id
	info.Resources = sdk.Resources(info.Resources).Normalize()
	a.info, a.version, a.address = info, version, address
	at := sdk.Address{Hostname: info.Hostname, IP: info.Hostname, Port: info.Port}
	if at.Port == 0 {
		at.Port = 5051
	}
	if i := strings.LastIndexByte(address, ':'); i > 0 {
		if n, err := strconv.ParseUint(address[i+1:], 10, 16); err == nil {
			at.IP, at.Port = strings.Trim(address[:i], "[]"), int32(n)
		}
	}
	a.url = &sdk.URL{Scheme: "http", Address: at, Path: "/slave(1)"}
}

func (a *agent) addExecutor(key executorKey, x *executor) {
	a.executors[key] = x
	ids := append(slices.Clone(a.byOwner[key.framework]), key.executor) // offers share the old slice
	slices.Sort(ids)
	a.byOwner[key.framework] = ids
}

func (a *agent) dropExecutor(key executorKey) {
	delete(a.executors, key)
	ids := slices.DeleteFunc(slices.Clone(a.byOwner[key.framework]), func(id sdk.ExecutorID) bool { return id == key.executor })
	if a.byOwner[key.framework] = ids; len(ids) == 0 {
		delete(a.byOwner, key.framework)
	}
}

// executorsOf are the ids of a framework's executors on the agent.
func (a *agent) executorsOf(f sdk.FrameworkID) []sdk.ExecutorID { return a.byOwner[f] }

// sortedTasks are the agent's tasks in order of framework and id.
func (a *agent) sortedTasks() []*task {
	keys := sortedTaskKeys(a.tasks)
	out := make([]*task, len(keys))
	for i, k := range keys {
		out[i] = a.tasks[k]
	}
	return out
}

func (a *agent) sortedExecutors() []*executor {
	keys := slices.SortedFunc(maps.Keys(a.executors), func(x, y executorKey) int {
		return cmp.Or(strings.Compare(string(x.framework), string(y.framework)), strings.Compare(string(x.executor), string(y.executor)))
	})
	out := make([]*executor, len(keys))
	for i, k := range keys {
		out[i] = a.executors[k]
	}
	return out
}

// recover takes over what the registry knows: everybody is awaited.
func (c *Cluster) recover() {
	for _, r := range c.reg.Agents() {
		a := newAgent(r.Info.ID)
		a.describe(r.Info, r.Version, r.Address)
		c.addresses[a.address] = a.id
		a.registered = time.Unix(0, r.Admitted)
		c.await(a)
		c.takeCare(a)
		a.recall(r.Kills)
		switch r.State {
		case registry.AgentGone:
			a.state = agentGone
		case registry.AgentUnreachable:
			a.state, a.lostAt = agentUnreachable, time.Unix(0, r.Since)
			c.publishAgent(a, false)
		default:
			a.state = agentRecovering
			c.recovering++
			c.lookAt(a, c.silentAt(a))
			c.publish(agentRecoveredEvent(a))
		}
		c.agents[a.id] = a
	}
	for _, r := range c.reg.Frameworks() {
		left := time.Duration(math.MaxInt64)
		if r.Deadline != 0 { // both of the same master's clock
			left = max(time.Duration(r.Deadline-r.Since), 0)
		}
		c.adopt(r.Info, time.Unix(0, r.Registered), left)
	}
}

// adopt makes a framework that is known, but not by this leader, wait for its scheduler;
// left is how long it may still be away, if that is less than it may be at all.
func (c *Cluster) adopt(info sdk.FrameworkInfo, registered time.Time, left time.Duration) *framework {
	f := newFramework(info, registered)
	c.frameworks[f.id()] = f
	c.books.AddFramework(bookEntry(f, nil))
	c.books.DeactivateFramework(f.id())
	f.away, f.recovered = true, true
	// Deadlines count only while there is a leader, and nobody can be back at once.
	f.deadline = c.now.Add(max(min(f.mayBeAway(), left), c.opt.RecoveryTimeout))
	c.watchAway(f)
	c.publishFramework(f, false)
	return f
}
