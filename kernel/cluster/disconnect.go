package cluster

import (
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// schedulerClosed starts the time that a framework has to come back.
func (c *Cluster) schedulerClosed(s Session) {
	sub := c.schedulers[s]
	if sub == nil {
		return
	}
	if sub.framework == nil {
		sub.closed = true // its admission is still proposed
		return
	}
	delete(c.schedulers, s)
	f := sub.framework
	if f.session != s {
		return
	}
	f.session, f.subscribed = "", false
	c.takeOffers(f, false)
	c.books.DeactivateFramework(f.id())
	if f.removing || f.zombie {
		return
	}
	c.goAway(f)
}

// goAway lets a framework's deadline run, and writes it down for the next leader.
func (c *Cluster) goAway(f *framework) {
	f.away = true
	f.deadline = c.now.Add(f.mayBeAway())
	c.log(Info, "framework disconnected", "framework", f.id(), "name", f.info.Name, "may be away", f.mayBeAway())
	c.publishFramework(f, true)
	if f.mayBeAway() == 0 && f.returning == 0 {
		c.remove(f, "it disconnected, and its failover_timeout is 0", nil)
		return
	}
	c.watchAway(f)
	c.writeDeadline(f)
}

// checkAway removes a framework whose deadline has come.
func (c *Cluster) checkAway(f *framework) {
	if f == nil || !f.away || f.removing || f.zombie || f.returning > 0 || f.deadline.After(c.now) {
		return
	}
	c.remove(f, "it was away for longer than its failover_timeout", nil)
}

// remove takes a framework out for ever, with everything that it runs; done, if
// any, is called when that is decided.
func (c *Cluster) remove(f *framework, why string, done func()) {
	f.removing = true
	c.log(Info, "removing framework", "framework", f.id(), "name", f.info.Name, "why", why)
	c.propose(registry.Command{
		Type:      registry.CommandRemoveFramework,
		Framework: &registry.FrameworkRef{ID: f.id()},
	}, func(r registry.Result) {
		if r.Err != nil {
			c.log(Warn, "the registry did not know a framework that was removed", "framework", f.id(), "error", r.Err.Error())
		}
		c.removed(f)
		if done != nil {
			done()
		}
	})
}

// removed carries a removal out. What the framework runs stays in the books
// until the agents say that it has ended.
func (c *Cluster) removed(f *framework) {
	if f.zombie {
		return // removed twice at once
	}
	f.zombie = true
	c.clearNotice(awayKey(f))
	c.takeOffers(f, false)
	if f.session != "" {
		if !f.leaving {
			c.send(f, errorEvent(removedMessage))
		}
		c.emit(CloseScheduler{Session: f.session})
		delete(c.schedulers, f.session)
		f.session, f.subscribed = "", false
	}
	c.books.RemoveFramework(f.id())
	c.publish(&sdk.OperatorEvent{
		Type:             sdk.OperatorEventFrameworkRemoved,
		FrameworkRemoved: &sdk.FrameworkRemoved{FrameworkInfo: f.info},
	})
	for _, t := range f.sortedTasks() {
		if !t.lostAt.IsZero() || t.freed {
			c.removeTask(t) // nobody will report or acknowledge it
		}
	}
	c.settleAllKept()
	for _, id := range sortedKeys(f.at) {
		c.tell(c.agents[id], &link.Event{Type: link.EventShutdownFramework, ShutdownFramework: &link.ShutdownFramework{FrameworkID: f.id()}})
	}
	c.buryWhenDone(f)
}

// buryWhenDone forgets a removed framework when nothing of it is left.
func (c *Cluster) buryWhenDone(f *framework) {
	if f.zombie && len(f.at) == 0 && c.frameworks[f.id()] == f {
		delete(c.frameworks, f.id())
	}
}
