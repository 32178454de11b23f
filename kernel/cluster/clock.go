package cluster

import (
	"time"

	"github.com/profferhq/proffer/kernel/link"
)

// Nothing here compares the clocks of two machines to decide something: deadlines are
// spans of one clock. But people read times, and jobs are started by them.

const (
	// clockSlack is by how much two clocks may differ before somebody is told.
	clockSlack = 30 * time.Second
	clockKey   = "clock"
)

// compareClocks tells of an agent whose clock is far from the leading master's.
func (c *Cluster) compareClocks(a *agent, theirs int64) {
	off := time.Duration(0)
	if theirs != 0 {
		off = time.Unix(0, theirs).Sub(c.now).Round(time.Second)
	}
	if off.Abs() <= clockSlack {
		c.clockFits(a)
		return
	}
	c.skewed[a.id] = true
	c.log(Warn, "the clock of an agent is far from this master's", "agent", a.id, "hostname", a.info.Hostname, "ahead by", off.String())
	c.notice(noticeOf(clockKey, time.Time{}, "The clocks of %d agents are far from the leading master's, such as that of %s (%s), by %v: times in statuses and logs are wrong, frameworks refuse calls through masters whose clock is more than a minute off theirs, and jobs start by the clock of the machine that chronosish runs on; set the clocks",
		len(c.skewed), a.info.Hostname, a.id, off))
	c.tell(a, &link.Event{Type: link.EventNotice, Notice: &link.Notice{Message: "the clock of this machine is far from the leading master's: by " + off.String()}})
}

// clockFits notes that an agent's clock is right, or nobody's business any more.
func (c *Cluster) clockFits(a *agent) {
	if delete(c.skewed, a.id); len(c.skewed) == 0 {
		c.clearNotice(clockKey)
	}
}
