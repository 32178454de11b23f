package registry

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// State is the registry's content after the commands up to Index. The zero
// value is the registry of a cluster that was not bootstrapped yet.
type State struct {
	index         uint64
	clusterID     string
	clusterName   string
	generation    uint64
	nextAgent     uint64
	nextFramework uint64
	members       map[string]Member
	agents        table[sdk.AgentID, Agent]
	nonces        table[string, sdk.AgentID] // of agents that have one
	frameworks    table[sdk.FrameworkID, Framework]
	removed       []RemovedFramework // oldest first; shared with copies: only appended to, behind its capacity
	removedIDs    table[sdk.FrameworkID, struct{}]
	trimmed       []AgentRef // gone agents that were forgotten, oldest first; shared like removed
	trimmedIDs    table[sdk.AgentID, struct{}]
	kills         map[sdk.FrameworkID]int // of all agents; none is zero
	weights       map[string]float64
	manifest      *Manifest // nil before it was set; replaced, never changed
}

// AgentState says what the registry holds an agent for.
type AgentState string

// The states of an agent.
const (
	AgentAdmitted    AgentState = "ADMITTED"
	AgentUnreachable AgentState = "UNREACHABLE"
	AgentGone        AgentState = "GONE"
)

// Enum lists the names of AgentState with their numbers on disk.
func (AgentState) Enum() []sdk.EnumValue {
	return []sdk.EnumValue{{Name: "ADMITTED", Number: 1}, {Name: "UNREACHABLE", Number: 2}, {Name: "GONE", Number: 3}}
}

// Agent is one agent that was ever admitted and did not leave in order.
type Agent struct {
	Info     sdk.AgentInfo `wire:"1,info,required"`
	State    AgentState    `wire:"2,state,required"`
	Since    int64         `wire:"3,since"`    // unix nanoseconds of the last change of State
	Admitted int64         `wire:"4,admitted"` // unix nanoseconds of the first admission
	Version  string        `wire:"5,version"`
	Address  string        `wire:"6,address"` // host:port of its HTTP

	Deactivated bool           `wire:"7,deactivated"` // nothing of it is offered
	Drain       *sdk.DrainInfo `wire:"8,drain"`       // nil unless it is to be drained; replaced, never changed
	DrainSince  int64          `wire:"9,drain_since"` // unix nanoseconds of DRAIN_AGENT

	Kills []Kill `wire:"10,kills"` // that wait for its return, sorted by framework and task; replaced, never changed

	Nonce string `wire:"11,nonce"` // of its first admission; may be empty
}

// Framework is one framework that may come back.
type Framework struct {
	Info       sdk.FrameworkInfo `wire:"1,info,required"`
	Registered int64             `wire:"2,registered"` // unix nanoseconds of the first admission
	Since      int64             `wire:"3,since"`      // unix nanoseconds of the last admission or FRAMEWORK_DISCONNECT
	Deadline   int64             `wire:"4,deadline"`   // unix nanoseconds, by the clock of Since, until it must be back; 0 while connected
}

// Manifest is the boot manifest as it was set last.
type Manifest struct {
	Manifest sdk.BootManifest `wire:"1,manifest,required"`
	Index    uint64           `wire:"2,index"` // of the command that set it
	Time     int64            `wire:"3,time"`  // unix nanoseconds
}

// RemovedFramework is what is kept of a framework that may not come back.
type RemovedFramework struct {
	ID        sdk.FrameworkID `wire:"1,id,value,required"`
	Name      string          `wire:"2,name"`
	Principal string          `wire:"3,principal"`
	Time      int64           `wire:"4,time"` // unix nanoseconds of the removal
}

// MaxRemoved is how many removed frameworks are remembered; an id older than that is
// admitted anew if its framework had brought it along.
const MaxRemoved = 10000

// New is the registry of a cluster that was not bootstrapped yet.
func New() *State {
	return &State{
		members: map[string]Member{},
		weights: map[string]float64{},
		kills:   map[sdk.FrameworkID]int{},
	}
}

// Clone is an independent copy: a new leader's mind starts from one, and so does a
// snapshot. Agents and frameworks are shared with it until they change.
func (s *State) Clone() *State {
	c := *s
	c.members = maps.Clone(s.members)
	c.removed, c.trimmed = slices.Clip(s.removed), slices.Clip(s.trimmed)
	c.kills = maps.Clone(s.kills)
	c.weights = maps.Clone(s.weights)
	return &c
}

// Reborn is a copy for another set of masters, in a later generation. That generation is
// part of the ids that it makes: those that this State would have made, or has made after
// it was saved, may be somebody's.
func (s *State) Reborn(generation uint64, members []Member) *State {
	c := s.Clone()
	if !plantSameGeneration {
		c.generation = generation
	}
	c.members = map[string]Member{}
	for _, m := range members {
		c.members[m.Name] = m
	}
	return c
}

// Index is the raft index of the last command applied.
func (s *State) Index() uint64 { return s.index }

// ClusterID is empty before BOOTSTRAP.
func (s *State) ClusterID() string { return s.clusterID }

// ClusterName is what people and gossip call the cluster.
func (s *State) ClusterName() string { return s.clusterName }

// Generation is compared before raft's term wherever commands are fenced.
func (s *State) Generation() uint64 { return s.generation }

// Agent is the agent of that id.
func (s *State) Agent(id sdk.AgentID) (Agent, bool) {
	return s.agents.get(id)
}

// AgentOf is the id that the new agent of that nonce was given; false for none, for the
// empty nonce, and for one at another address: that runs on a copy of a work directory which
// had no id yet, such as that of a machine's image.
func (s *State) AgentOf(nonce, address string) (sdk.AgentID, bool) {
	id, known := s.nonces.get(nonce)
	if a, _ := s.agents.get(id); !known || a.Address != address {
		return "", false
	}
	return id, true
}

// Agents are all agents, sorted by id.
func (s *State) Agents() []Agent {
	return s.agents.values()
}

// Framework is the framework of that id, unless it was removed.
func (s *State) Framework(id sdk.FrameworkID) (Framework, bool) {
	return s.frameworks.get(id)
}

// Frameworks are all frameworks that may come back, sorted by id.
func (s *State) Frameworks() []Framework {
	return s.frameworks.values()
}

// WasRemoved tells whether a framework of that id was removed: it is remembered, or the
// registry has made the id itself, in this generation, and nobody has it.
func (s *State) WasRemoved(id sdk.FrameworkID) bool {
	return s.remembers(id) || s.made(CommandVersion, id)
}

func (s *State) remembers(id sdk.FrameworkID) bool { return s.removedIDs.has(id) }

// made tells whether freshFramework has given the id to a framework that is no more.
func (s *State) made(version uint32, id sdk.FrameworkID) bool {
	if s.frameworks.has(id) {
		return false
	}
	text, own := strings.CutPrefix(string(id), s.prefix(version))
	n, err := strconv.ParseUint(text, 10, 64)
	return own && err == nil && n < s.nextFramework && s.frameworkID(version, n) == id
}

// prefix begins every id that a command of that version makes in this generation.
func (s *State) prefix(version uint32) string {
	if s.generation <= 1 || version < 4 {
		return s.clusterID + "-"
	}
	return fmt.Sprintf("%s-g%d-", s.clusterID, s.generation)
}

func (s *State) frameworkID(version uint32, n uint64) sdk.FrameworkID {
	return sdk.FrameworkID(fmt.Sprintf("%s%04d", s.prefix(version), n))
}

// Removed are the frameworks removed last, oldest first, at most MaxRemoved.
func (s *State) Removed() []RemovedFramework { return slices.Clone(s.removed) }

// Weight is the weight of a role, 1 unless it was set.
func (s *State) Weight(role string) float64 {
	if w, ok := s.weights[role]; ok {
		return w
	}
	return 1
}

// Weights are the weights that were set, sorted by role.
func (s *State) Weights() []SetWeight {
	out := make([]SetWeight, 0, len(s.weights))
	for _, role := range slices.Sorted(maps.Keys(s.weights)) {
		out = append(out, SetWeight{Role: role, Weight: s.weights[role]})
	}
	return out
}

// Manifest is the boot manifest; nil when the cluster starts nothing by itself. It is
// never changed in place.
func (s *State) Manifest() *Manifest { return s.manifest }

// InitFramework is the id of the built-in framework that carries the manifest out.
func (s *State) InitFramework() sdk.FrameworkID { return sdk.FrameworkID(s.clusterID + "-init") }

// Members are the masters as they told it themselves, sorted by name.
func (s *State) Members() []Member { return sortedValues(s.members, strings.Compare) }

// CommonVersion is the newest command version that every member knows.
func (s *State) CommonVersion() uint32 {
	v := uint32(CommandVersion)
	for _, m := range s.members {
		v = min(v, m.Command)
	}
	return v
}

// CommonStore is the newest version of the store's commands that every member
// knows; 0 while one of them has no store, or none has told.
func (s *State) CommonStore() uint32 {
	var v uint32
	first := true
	for _, m := range s.members {
		if first || m.Store < v {
			v, first = m.Store, false
		}
	}
	return v
}

func sortedValues[K comparable, V any](m map[K]V, cmp func(a, b K) int) []V {
	keys := slices.SortedFunc(maps.Keys(m), cmp)
	out := make([]V, len(keys))
	for i, k := range keys {
		out[i] = m[k]
	}
	return out
}
