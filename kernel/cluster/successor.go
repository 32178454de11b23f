package cluster

import "time"

// arrive notes where an agent is. Where another one was that does not answer any more, it
// is likely that the machine was replaced, or its work directory lost: the old agent will
// never come back then, but only people can know that.
func (c *Cluster) arrive(a *agent) {
	old := c.agents[c.addresses[a.address]]
	c.addresses[a.address] = a.id
	c.clearNotice(replacedKey(a))
	if old == nil || old == a || old.session != "" || old.state == agentGone || a.address == "" {
		return
	}
	c.log(Warn, "a new agent is at the address of one that does not answer", "agent", a.id, "old", old.id, "address", a.address)
	c.notice(noticeOf(replacedKey(old), time.Time{}, "Agent %s is at %s, where agent %s was, which does not answer: if its machine was replaced or lost its work directory, mark the old one gone (proffer agent gone %s), so that what it ran counts as lost for certain",
		a.id, a.address, old.id, old.id).about(old))
}

func replacedKey(a *agent) string { return "replaced/" + string(a.id) }
