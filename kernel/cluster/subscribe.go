package cluster

import (
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// subscription is one stream of a scheduler, from SUBSCRIBE to its end.
type subscription struct {
	session   Session
	caller    Caller
	name      string          // of the framework
	id        sdk.FrameworkID // that it came with; empty for a new one
	framework *framework      // nil until its admission is committed
	closed    bool            // before its admission was committed
}

// removedMessage is the ERROR for a framework that may not come back.
const removedMessage = "Framework has been removed"

func (c *Cluster) subscribe(in Subscribe) {
	if err := checkCall(in.Call); err != nil {
		c.reply(in.Request, err)
		return
	}
	sub := in.Call.Subscribe
	info := sub.FrameworkInfo
	if err := c.stranger("framework", "subscribe.framework_info.id", string(info.ID)); err != nil {
		c.reply(in.Request, err)
		return
	}
	who := in.Caller
	switch {
	case info.Principal == "":
		info.Principal = who.Principal
	case who.Principal != "" && !who.Operator && info.Principal != who.Principal:
		c.reply(in.Request, sdk.Errorf(sdk.CodeInvalid, "subscribe.framework_info.principal",
			"Authenticated principal '%s' does not match principal '%s' set in `FrameworkInfo`", who.Principal, info.Principal))
		return
	}
	if _, used := c.schedulers[in.Session]; used || in.Session == "" {
		c.reply(in.Request, sdk.Errorf(sdk.CodeInternal, "", "the session %q is in use", string(in.Session)))
		return
	}
	c.reply(in.Request, nil)
	if wrong := c.checkSubscribe(&info, sub, who.Operator); wrong != "" {
		c.refuseStream(in.Session, wrong)
		return
	}
	s := &subscription{session: in.Session, caller: who, name: info.Name, id: info.ID}
	c.schedulers[in.Session] = s
	known := c.frameworks[info.ID]
	if known != nil {
		known.returning++
	}
	c.propose(registry.Command{
		Type:           registry.CommandAdmitFramework,
		AdmitFramework: &registry.AdmitFramework{Info: info},
	}, func(r registry.Result) {
		if known != nil {
			known.returning--
		}
		c.subscribed(s, info, sub, r)
		c.checkAway(known) // it was let be until this was decided
	})
}

// checkSubscribe is what is wrong with a framework that wants in, or "".
func (c *Cluster) checkSubscribe(info *sdk.FrameworkInfo, sub *sdk.Subscribe, operator bool) string {
	if wrong := checkInfo(info, sub.SuppressedRoles); wrong != "" {
		return wrong
	}
	if wrong := checkConstraints(sub.OfferConstraints, rolesOf(info)); wrong != "" {
		return wrong
	}
	if wrong := c.checkSystem(info, operator); wrong != "" {
		return wrong
	}
	if wrong := c.checkName(info.Name, info.ID); wrong != "" {
		return wrong
	}
	switch {
	case info.ID == "":
		return ""
	case info.ID == c.reg.InitFramework() && !operator:
		return "The framework id '" + string(info.ID) + "' is init's, a part of the kernel"
	}
	if c.reg.WasRemoved(info.ID) {
		return removedMessage
	}
	if f := c.frameworks[info.ID]; f != nil {
		switch {
		case f.removing || f.zombie:
			return removedMessage
		case f.info.Principal != info.Principal:
			return "Changing framework's principal is not allowed."
		}
	}
	return ""
}

// checkName is why a framework may not have a published name, or "": another one that
// has it is subscribed, or about to be.
func (c *Cluster) checkName(name string, id sdk.FrameworkID) string {
	if !slices.Contains(c.opt.Published, name) {
		return ""
	}
	for _, key := range sortedKeys(c.schedulers) {
		s := c.schedulers[key]
		other, called := s.id, s.name
		if s.framework != nil {
			other, called = s.framework.id(), s.framework.info.Name
		}
		if called == name && !s.closed && (other == "" || other != id) {
			return fmt.Sprintf("The name '%s' is published by the masters (--publish), and another framework (%s) has it now; end that one first, or choose another name", name, orNew(other))
		}
	}
	return ""
}

func orNew(id sdk.FrameworkID) string {
	if id == "" {
		return "a new one"
	}
	return string(id)
}

// checkInfo is what is wrong with what a framework says about itself, or "".
func checkInfo(info *sdk.FrameworkInfo, suppressed []string) string {
	if wrong := checkRoles(info, suppressed); wrong != "" {
		return wrong
	}
	// Durations are nanoseconds in 64 bits. A negative one is let in, as a real Mesos
	// does, and counts as 0.
	if t := info.FailoverTimeout; math.IsNaN(t) || math.Abs(t) > math.MaxInt64/1e9 {
		return fmt.Sprintf("The framework failover_timeout (%g) is invalid", t)
	}
	return ""
}

// refuseStream ends a stream that was opened but is not wanted.
func (c *Cluster) refuseStream(s Session, message string) {
	c.emit(ToScheduler{Session: s, Event: errorEvent(message)})
	c.emit(CloseScheduler{Session: s})
}

func errorEvent(message string) *sdk.Event {
	return &sdk.Event{Type: sdk.EventError, Error: &sdk.ErrorEvent{Message: message}}
}

// subscribed lets a framework in once the registry has it.
func (c *Cluster) subscribed(s *subscription, info sdk.FrameworkInfo, sub *sdk.Subscribe, r registry.Result) {
	if r.Err != nil {
		delete(c.schedulers, s.session)
		if !s.closed {
			c.refuseStream(s.session, r.Err.Message)
		}
		return
	}
	info.ID = r.FrameworkID
	f, again := c.frameworks[info.ID]
	if !again {
		f = newFramework(info, c.now)
		c.frameworks[info.ID] = f
	}
	if f.session != "" {
		c.failOver(f)
	}
	if again {
		info.User, info.Checkpoint = f.info.User, f.info.Checkpoint
		f.reregistered = c.now
		c.replaceInfo(f, info)
	}
	f.constraints = sub.OfferConstraints
	f.operator = s.caller.Operator
	if !again {
		c.books.AddFramework(bookEntry(f, sub.SuppressedRoles))
	} else {
		c.books.UpdateFramework(bookEntry(f, sub.SuppressedRoles))
		c.books.ActivateFramework(f.id())
	}
	f.session, s.framework, f.subscribed = s.session, f, true
	c.welcome(f, again)
	c.noStrangers()
	if s.closed {
		c.schedulerClosed(s.session)
	}
}

// welcome is the beginning of a stream: SUBSCRIBED, HEARTBEAT, and the updates
// that nobody has acknowledged.
func (c *Cluster) welcome(f *framework, again bool) {
	master := c.opt.Master
	c.send(f, &sdk.Event{Type: sdk.EventSubscribed, Subscribed: &sdk.Subscribed{
		FrameworkID:              f.id(),
		HeartbeatIntervalSeconds: c.opt.SchedulerHeartbeat.Seconds(),
		MasterInfo:               &master,
	}})
	c.send(f, &sdk.Event{Type: sdk.EventHeartbeat})
	c.alarms.set(alarm{at: c.now.Add(c.opt.SchedulerHeartbeat), kind: alarmSchedulerStream, session: f.session})
	f.away, f.recovered = false, false
	c.clearNotice(awayKey(f))
	c.publishFramework(f, again)
	c.log(Info, "framework subscribed", "framework", f.id(), "name", f.info.Name, "principal", f.info.Principal, "again", again)
	for _, t := range f.sortedTasks() {
		if t.unacked != nil {
			c.send(f, updateEvent(f, t.unacked))
		}
	}
}

// failOver ends the stream that a newer one replaces.
func (c *Cluster) failOver(f *framework) {
	c.send(f, errorEvent("Framework failed over"))
	c.emit(CloseScheduler{Session: f.session})
	delete(c.schedulers, f.session)
	c.takeOffers(f, false)
	c.books.DeactivateFramework(f.id()) // the new scheduler knows nothing of the old one's filters
	f.session, f.subscribed = "", false
}

// replaceInfo takes over what a framework says about itself, and lets the agents
// that run something of it know.
func (c *Cluster) replaceInfo(f *framework, info sdk.FrameworkInfo) {
	if reflect.DeepEqual(f.info, info) {
		return
	}
	f.describe(info)
	for _, id := range sortedKeys(f.at) {
		c.tell(c.agents[id], &link.Event{Type: link.EventFramework, Framework: &link.Framework{Info: f.info}})
	}
}

func bookEntry(f *framework, suppressed []string) allocator.Framework {
	caps := make([]sdk.Capability, len(f.info.Capabilities))
	for i := range caps {
		caps[i] = f.info.Capabilities[i].Type
	}
	return allocator.Framework{
		ID:           f.id(),
		Roles:        slices.Clone(f.roles),
		Suppressed:   slices.Clone(suppressed),
		Capabilities: caps,
		OfferFilters: f.info.OfferFilters,
	}
}

func (c *Cluster) schedulerHeartbeat(s Session) {
	sub := c.schedulers[s]
	if sub == nil || sub.framework == nil {
		return
	}
	c.send(sub.framework, &sdk.Event{Type: sdk.EventHeartbeat})
	c.alarms.set(alarm{at: c.now.Add(c.opt.SchedulerHeartbeat), kind: alarmSchedulerStream, session: s})
}
