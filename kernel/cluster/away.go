package cluster

import (
	"time"

	"github.com/profferhq/proffer/kernel/registry"
)

// How long a framework may still be away outlives this leader: the registry holds the
// deadline beside the moment at which that was written down, both by one clock, and the
// next leader goes on with the difference. So the time without a leader does not count,
// nor does what two masters' clocks differ by.

// watchAway sets what has to be looked at while a framework is away.
func (c *Cluster) watchAway(f *framework) {
	c.alarms.set(alarm{at: f.deadline, kind: alarmFrameworkGone, framework: f.id()})
	if near := f.deadline.Add(-f.warning()); near.After(c.now) {
		c.alarms.set(alarm{at: near, kind: alarmFrameworkNear, framework: f.id()})
	} else {
		c.warnAway(f)
	}
	c.keepLater(f)
}

// keepLater sets the next moment at which the deadline is written down; one set before
// does not hold any more.
func (c *Cluster) keepLater(f *framework) {
	if f.mayBeAway() <= c.opt.RecoveryTimeout {
		return // a next leader gives it that much in any case
	}
	f.keepAt = c.now.Add(f.keepEvery())
	c.alarms.set(alarm{at: f.keepAt, kind: alarmFrameworkKept, framework: f.id()})
}

// warning is how long before its removal people are told.
func (f *framework) warning() time.Duration { return min(f.mayBeAway()/4, 24*time.Hour) }

// keepEvery is how often the registry learns how long the framework may still be away:
// as much more than it should have a change of the leader may give it.
func (f *framework) keepEvery() time.Duration {
	return min(max(f.mayBeAway()/10, 5*time.Second), time.Hour)
}

func awayKey(f *framework) string { return "framework/" + string(f.id()) }

// isAway tells whether the framework's deadline runs.
func (f *framework) isAway() bool {
	return f != nil && f.away && !f.removing && !f.zombie && f.returning == 0
}

// warnAway tells that a framework is removed soon.
func (c *Cluster) warnAway(f *framework) {
	if !f.isAway() || f.deadline.Add(-f.warning()).After(c.now) || c.noticed[awayKey(f)] {
		return
	}
	left := f.deadline.Sub(c.now).Round(time.Second)
	c.log(Warn, "a framework is away and is removed soon, with everything that it runs", "framework", f.id(), "name", f.info.Name, "in", left)
	c.notice(noticeOf(awayKey(f), f.deadline, "Framework %s (%s) is away; it is removed in %v, with everything that it runs, unless it subscribes before", f.info.Name, f.id(), left).of(f))
}

// keepDeadline has the registry know how long a framework may still be away.
func (c *Cluster) keepDeadline(f *framework) {
	if !f.isAway() || !f.deadline.After(c.now) || f.keepAt.After(c.now) {
		return
	}
	c.writeDeadline(f)
	c.keepLater(f)
}

// writeDeadline writes the deadline down as this clock has it now: it may have been set
// since the deadline was.
func (c *Cluster) writeDeadline(f *framework) {
	c.propose(registry.Command{
		Type:                registry.CommandFrameworkDisconnect,
		FrameworkDisconnect: &registry.FrameworkDisconnect{ID: f.id(), Deadline: c.now.UnixNano() + int64(f.deadline.Sub(c.now))},
	}, func(registry.Result) {})
}
