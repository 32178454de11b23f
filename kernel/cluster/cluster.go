package cluster

import (
	"time"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// Cluster is one leader's mind, from its election to its end.
type Cluster struct {
	opt     Options
	reg     *registry.State // mirrors what this leader's proposals have made of it
	books   *allocator.Allocator
	now     time.Time
	dead    bool
	effects []Effect

	proposals    map[uint64]proposal
	lastProposal uint64
	lastOffer    uint64

	frameworks map[sdk.FrameworkID]*framework
	schedulers map[Session]*subscription
	agents     map[sdk.AgentID]*agent
	streams    map[Session]*registration
	recovering int // agents that are still to come back to this leader

	began      time.Time     // of this leadership
	awaited    int           // agents that were to come back at its beginning
	offersFrom time.Time     // until when offers are held back at most; zero when they are not
	nextTurn   time.Time     // when the rate of removals lets the next agent go
	turns      []sdk.AgentID // those that wait for it, in the order in which they fell silent
	pardoned   time.Time     // when this mind found that it had stood still
	massSince  time.Time     // since when too many agents are silent at once
	massLook   time.Time     // when that was counted last
	massUntil  time.Time     // and when it is to be counted again
	draining   map[sdk.AgentID]*agent
	addresses  map[string]sdk.AgentID // who was at an address last
	noticed    map[string]bool        // keys of the notices that last
	skewed     map[sdk.AgentID]bool   // agents whose clock is far from this master's

	offers map[sdk.OfferID]*offer
	aging  []*offer // oldest first, those that ended meanwhile included
	alarms alarms

	launchers map[string]bool
}

// New is the mind of a leader elected at now. What the registry knows counts as
// recovered: agents and frameworks have Options.RecoveryTimeout to come back.
// The first Step also returns what this start brings about.
func New(now time.Time, opt Options) *Cluster {
	opt = opt.withDefaults()
	weights := map[string]float64{}
	for _, w := range opt.Registry.Weights() {
		weights[w.Role] = w.Weight
	}
	alloc := opt.Allocator
	alloc.Weights = weights
	c := &Cluster{
		opt:        opt,
		reg:        opt.Registry,
		books:      allocator.New(alloc),
		now:        now,
		began:      now,
		proposals:  map[uint64]proposal{},
		frameworks: map[sdk.FrameworkID]*framework{},
		schedulers: map[Session]*subscription{},
		agents:     map[sdk.AgentID]*agent{},
		streams:    map[Session]*registration{},
		offers:     map[sdk.OfferID]*offer{},
		launchers:  map[string]bool{},
		draining:   map[sdk.AgentID]*agent{},
		addresses:  map[string]sdk.AgentID{},
		noticed:    map[string]bool{},
		skewed:     map[sdk.AgentID]bool{},
	}
	for _, p := range opt.FrameworkLaunchers {
		c.launchers[p] = true
	}
	c.recover()
	c.begin()
	c.trimLater()
	return c
}

// Step takes one input and gives what has to be done about it, in order. The
// slice is valid until the next Step. Time that runs backwards counts as
// standing still.
func (c *Cluster) Step(now time.Time, in Input) []Effect {
	if now.After(c.now) {
		c.now = now
	}
	if !c.dead {
		if due, ok := c.alarms.next(); ok && c.now.Sub(due) > c.opt.AgentHeartbeat {
			c.pardon()
		}
		c.dispatch(in)
		if len(c.draining) > 0 {
			c.settleDrains()
		}
	}
	out := c.effects
	c.effects = c.effects[:0]
	return out
}

func (c *Cluster) dispatch(in Input) {
	switch in := in.(type) {
	case Subscribe:
		c.subscribe(in)
	case SchedulerCall:
		c.schedulerCall(in)
	case SchedulerClosed:
		c.schedulerClosed(in.Session)
	case AgentRegister:
		c.register(in)
	case AgentCall:
		c.agentCall(in)
	case AgentClosed:
		c.agentClosed(in.Session)
	case AgentNotice:
		c.agentNotice(in)
	case AgentSuspected:
		c.suspected(in)
	case OperatorCall:
		c.operatorCall(in)
	case Committed:
		c.committed(in)
	case Failed:
		c.failed(in)
	case Tick:
		c.tick()
	}
}

// Due is when the next Tick is wanted; false when nothing waits for time. A time
// in the past means: as soon as the queue of inputs is drained.
func (c *Cluster) Due() (time.Time, bool) {
	if c.dead {
		return time.Time{}, false
	}
	if c.books.Pending() && !c.waitsToOffer() {
		return c.now, true
	}
	due, any := c.alarms.next()
	if at, ok := c.books.NextExpiry(); ok && !c.waitsToOffer() && (!any || at.Before(due)) {
		due, any = at, true
	}
	if o := c.oldestOffer(); o != nil {
		if at := o.made.Add(c.opt.OfferTimeout); !any || at.Before(due) {
			due, any = at, true
		}
	}
	return due, any
}

func (c *Cluster) tick() {
	for {
		a, ok := c.alarms.pop(c.now)
		if !ok {
			break
		}
		c.ring(a)
	}
	c.expireOffers()
	if c.holdsOffers() {
		return
	}
	if at, ok := c.books.NextExpiry(); c.books.Pending() || ok && !at.After(c.now) {
		c.allocate()
	}
}

func (c *Cluster) ring(a alarm) {
	switch a.kind {
	case alarmAgentSilent:
		c.lookNow(c.agents[a.agent], a.at)
	case alarmAgentHeartbeat:
		c.agentHeartbeat(c.agents[a.agent], a.session)
	case alarmFrameworkGone:
		c.checkAway(c.frameworks[a.framework])
	case alarmFrameworkNear:
		c.warnAway(c.frameworks[a.framework])
	case alarmFrameworkKept:
		c.keepDeadline(c.frameworks[a.framework])
	case alarmSchedulerStream:
		c.schedulerHeartbeat(a.session)
	case alarmTrim:
		c.trimAgents()
	}
}

// Everything that leaves the mind goes through the functions below.

func (c *Cluster) emit(e Effect) { c.effects = append(c.effects, e) }

func (c *Cluster) reply(request uint64, err *sdk.Error) {
	if request != 0 {
		c.emit(Reply{Request: request, Err: err})
	}
}

func (c *Cluster) log(level Level, message string, kv ...any) {
	c.emit(Log{Level: level, Message: message, KV: kv})
}

func (c *Cluster) publish(e *sdk.OperatorEvent) { c.emit(Operator{Event: e}) }

// send gives an event to a framework, if it is there to take it.
func (c *Cluster) send(f *framework, e *sdk.Event) {
	if f.subscribed {
		c.emit(ToScheduler{Session: f.session, Event: e})
	}
}

// tell gives an event to an agent with this leader's fence, if it is there.
func (c *Cluster) tell(a *agent, e *link.Event) bool {
	if a == nil || a.session == "" {
		return false
	}
	e.Version = link.Version
	e.Generation, e.Term = c.opt.Fence.Generation, c.opt.Fence.Term
	a.told = c.now
	c.emit(ToAgent{Session: a.session, Event: e})
	return true
}
