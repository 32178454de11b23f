package cluster

import (
	"time"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// Options are the facts that a new leader starts from. Zero durations mean the
// defaults of DefaultOptions.
type Options struct {
	// Fence is stamped on everything that agents are told: the registry's
	// generation and the raft term of this leadership.
	Fence link.Fence
	// Master is told to every scheduler. Its ID begins every offer's id and must be
	// different for each leadership.
	Master sdk.MasterInfo
	// Registry is the registry as of the leader's barrier; New takes it over, so
	// give a Clone.
	Registry *registry.State

	// FrameworkLaunchers are the principals whose frameworks may start frameworks
	// (tasks with the label PROFFER_FRAMEWORK). Operators always may.
	FrameworkLaunchers []string
	// Published are names of frameworks that have a port of the gateway: only one
	// framework of such a name is let in at a time.
	Published []string
	// AllowedUsers are, for each principal, the users that its tasks may run as
	// beside the agent's task user; "*" stands for all, root included. The principal
	// "" is everybody.
	AllowedUsers map[string][]string

	// Allocator are the allocator's options; its Weights come from the registry.
	Allocator allocator.Options

	OfferTimeout       time.Duration // an offer held longer is rescinded
	SchedulerHeartbeat time.Duration // between HEARTBEAT events of a scheduler's stream
	AgentHeartbeat     time.Duration // either side of an agent's stream says something at least this often, and at least four times in AgentTimeout; zero for a quarter of that
	AgentTimeout       time.Duration // silence after which an agent is unreachable
	RemovalRate        RemovalRate   // how fast silent agents become unreachable
	MassShare          float64       // when more than this share of the agents, and at least two, are silent at once, none becomes unreachable; 1 for no guard
	MassWait           time.Duration // but for this long at most
	OfferShare         float64       // a new leader offers when this share of the agents is back
	OfferWait          time.Duration // or after this; below zero: at once
	RecoveryTimeout    time.Duration // agents and frameworks known to the registry have this long to come back to a new leader
	TrimInterval       time.Duration // how often agents are looked for that the registry may forget
	MaxAgentAge        time.Duration // those that are unreachable or gone for longer
	MaxAgentCount      int           // and of each of the two kinds those above so many, the oldest first
}

// DefaultOptions are the defaults of the README's table; the caller fills in
// Fence, Master and Registry.
func DefaultOptions() Options {
	return Options{
		OfferTimeout:       30 * time.Second,
		SchedulerHeartbeat: 15 * time.Second,
		AgentTimeout:       10 * time.Second,
		MassShare:          0.5,
		MassWait:           5 * time.Minute,
		OfferShare:         0.8,
		OfferWait:          5 * time.Second,
		RecoveryTimeout:    30 * time.Second,
		TrimInterval:       15 * time.Minute,
		MaxAgentAge:        14 * 24 * time.Hour,
		MaxAgentCount:      102400,
	}
}

// withDefaults fills what the caller left out.
func (o Options) withDefaults() Options {
	d := DefaultOptions()
	for _, p := range []struct {
		v *time.Duration
		d time.Duration
	}{
		{&o.OfferTimeout, d.OfferTimeout},
		{&o.SchedulerHeartbeat, d.SchedulerHeartbeat},
		{&o.AgentTimeout, d.AgentTimeout},
		{&o.RecoveryTimeout, d.RecoveryTimeout},
		{&o.MassWait, d.MassWait},
		{&o.OfferWait, d.OfferWait},
		{&o.TrimInterval, d.TrimInterval},
		{&o.MaxAgentAge, d.MaxAgentAge},
	} {
		if *p.v == 0 {
			*p.v = p.d
		}
	}
	if most := o.AgentTimeout / 4; o.AgentHeartbeat == 0 || o.AgentHeartbeat > most { // three may be lost
		o.AgentHeartbeat = most
	}
	if o.MaxAgentCount == 0 {
		o.MaxAgentCount = d.MaxAgentCount
	}
	if o.MassShare == 0 {
		o.MassShare = d.MassShare
	}
	if o.OfferShare == 0 {
		o.OfferShare = d.OfferShare
	}
	if o.Registry == nil {
		o.Registry = registry.New()
	}
	return o
}
