package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/profferhq/proffer/kernel/registry"
)

// RemovalRate bounds how many agents become unreachable: N in each span of Per. The
// zero value is no bound.
type RemovalRate struct {
	N   int
	Per time.Duration
}

// pause is the time between two agents; 0 for no bound.
func (r RemovalRate) pause() time.Duration {
	if r.N <= 0 {
		return 0
	}
	return r.Per / time.Duration(r.N)
}

// String is the rate as flags have it; empty for none.
func (r RemovalRate) String() string {
	if r.N <= 0 {
		return ""
	}
	return fmt.Sprintf("%d/%s", r.N, r.Per)
}

// ParseRemovalRate reads what String writes, such as 1/10s or 20/1m; Mesos's units
// (secs, mins, hrs) are understood too. The empty text is no bound.
func ParseRemovalRate(text string) (RemovalRate, error) {
	if text == "" {
		return RemovalRate{}, nil
	}
	count, span, _ := strings.Cut(text, "/")
	for _, unit := range [][2]string{{"secs", "s"}, {"mins", "m"}, {"hrs", "h"}} {
		if number, ok := strings.CutSuffix(span, unit[0]); ok {
			span = number + unit[1]
		}
	}
	n, err1 := strconv.Atoi(count)
	per, err2 := time.ParseDuration(span)
	if err1 != nil || err2 != nil || n <= 0 || per <= 0 || per/time.Duration(n) <= 0 {
		return RemovalRate{}, fmt.Errorf("%q is no rate: say how many agents in what time, such as 1/10s or 20/1m", text)
	}
	return RemovalRate{N: n, Per: per}, nil
}

// silentAt is when an agent has said nothing for too long. Where gossip, too, does not
// reach it any more, half of the time is enough.
func (c *Cluster) silentAt(a *agent) time.Time {
	if a.suspect && a.state == agentHere {
		return a.heard.Add(c.opt.AgentTimeout / 2)
	}
	return a.heard.Add(c.opt.AgentTimeout)
}

// suspected takes gossip's word that an agent is away, or there again. It ends nothing
// by itself: an agent that speaks on its stream is never lost.
func (c *Cluster) suspected(in AgentSuspected) {
	a := c.agents[c.addresses[in.Address]]
	if a == nil || a.state > agentHere {
		return
	}
	a.suspect = in.Suspected
	if a.state == agentRecovering {
		c.await(a)
	}
	if a.suspect {
		c.lookAt(a, c.silentAt(a))
	}
}

// await is how long an agent has to come back to a new leader: one that gossip does not
// reach as long as it may be silent at any other time.
func (c *Cluster) await(a *agent) {
	a.heard = c.began
	if !a.suspect {
		a.heard = a.heard.Add(max(c.opt.RecoveryTimeout-c.opt.AgentTimeout, 0))
	}
}

// hear notes that an agent has spoken.
func (c *Cluster) hear(a *agent) {
	a.heard = c.now
	if a.waits {
		c.leaveTurns(a)
		c.lookAt(a, c.silentAt(a)) // its turn may have been far away
	}
}

// lookAt has an agent's silence looked at then, if not before. An agent has one such
// alarm; those whose place it took mean nothing.
func (c *Cluster) lookAt(a *agent, at time.Time) {
	if a.look.IsZero() || at.Before(a.look) {
		a.look = at
		c.alarms.set(alarm{at: at, kind: alarmAgentSilent, agent: a.id})
	}
}

// lookNow is the alarm that was set for then.
func (c *Cluster) lookNow(a *agent, then time.Time) {
	if a != nil && a.look.Equal(then) {
		a.look = time.Time{}
		c.checkSilence(a)
	}
}

// pardon gives every agent half of its time anew after this mind itself stood still: it
// may be the calls that wait to be read.
func (c *Cluster) pardon() {
	if c.now.Sub(c.pardoned) < c.opt.AgentHeartbeat {
		return
	}
	c.pardoned = c.now
	least := c.now.Add(-c.opt.AgentTimeout / 2)
	for _, a := range c.agents {
		if a.state <= agentHere && a.heard.Before(least) {
			a.heard = least
		}
	}
}

// checkSilence proposes the loss of an agent that said nothing for too long, unless it
// has to wait for its turn, or so many are silent that it is rather this master that is
// cut off.
func (c *Cluster) checkSilence(a *agent) {
	if a == nil || a.marking || a.returning > 0 || a.state > agentHere {
		return
	}
	at := c.silentAt(a)
	switch {
	case !at.After(c.now):
		at = c.massWait()
	case !c.massSince.IsZero():
		c.massWait() // it is one that came back
	}
	if !at.After(c.now) {
		at = c.turnOf(a)
	}
	if at.After(c.now) {
		c.lookAt(a, at)
		return
	}
	a.marking = true
	lost, silence := c.now, c.now.Sub(a.heard)
	if a.state == agentRecovering {
		silence = c.now.Sub(c.began)
	}
	c.propose(registry.Command{
		Type:  registry.CommandAgentUnreachable,
		Agent: &registry.AgentRef{ID: a.id},
	}, func(r registry.Result) {
		if r.Err != nil && a.marking {
			c.log(Error, "the registry refused the loss of an agent", "agent", a.id, "error", r.Err.Error())
		}
		if a.marking {
			c.unreachable(a, lost, fmt.Sprintf("Agent %s is unreachable: it was silent for %v", a.info.Hostname, silence))
		}
	})
}

func silentKey[ID ~string](id ID) string { return "agent/" + string(id) }

// turnOf is when the rate of removals lets a silent agent become unreachable: those that
// fell silent before it come first. The turn is taken when it is there.
func (c *Cluster) turnOf(a *agent) time.Time {
	pause := c.opt.RemovalRate.pause()
	if pause == 0 {
		return c.now
	}
	before := len(c.turns)
	if a.waits {
		before = slices.Index(c.turns, a.id)
	} else {
		a.waits, c.turns = true, append(c.turns, a.id)
	}
	at := maxTime(c.now, c.nextTurn).Add(time.Duration(before) * pause)
	if !at.After(c.now) {
		c.nextTurn = c.now.Add(pause)
		c.leaveTurns(a)
		return c.now
	}
	c.notice(noticeOf(silentKey(a.id), at, "Agent %s (%s) is silent; it becomes unreachable when the rate of removals (--agent-removal-rate-limit %s) allows it",
		a.info.Hostname, a.id, c.opt.RemovalRate).about(a))
	return at
}

// leaveTurns takes an agent out of those that wait for the rate of removals, and has the
// one that is first now looked at in its turn.
func (c *Cluster) leaveTurns(a *agent) {
	if !a.waits {
		return
	}
	a.waits = false
	i := slices.Index(c.turns, a.id)
	c.turns = slices.Delete(c.turns, i, i+1)
	c.clearNotice(silentKey(a.id))
	if len(c.turns) > 0 {
		c.lookAt(c.agents[c.turns[0]], maxTime(c.now, c.nextTurn))
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// massKey is the notice of the guard against mass removal.
const massKey = "mass-removal"

// massWait is when the guard against mass removal lets agents become unreachable: now,
// while no more than the share of them is silent, or lately lost, at once; else after
// Options.MassWait. It counts those that are silent for half of the time already: they
// do not all fall silent in the same moment.
func (c *Cluster) massWait() time.Time {
	switch since := c.now.Sub(c.massLook); {
	case since < c.opt.AgentTimeout/40:
		return c.massUntil
	case since > c.opt.AgentTimeout && len(c.turns) == 0:
		c.massSince = time.Time{} // of another time: nobody waits for a turn, which may be far away
	}
	c.massLook = c.now
	silent, known := 0, 0
	half := c.now.Add(-c.opt.AgentTimeout / 2)
	for _, a := range c.agents {
		switch {
		case a.state <= agentHere:
			known++
			if !a.heard.After(half) {
				silent++
			}
		case a.state == agentUnreachable && a.lostHere && a.lostAt.After(c.now.Add(-c.opt.AgentTimeout)):
			known++
			silent++
		}
	}
	if silent < 2 || float64(silent) <= c.opt.MassShare*float64(known) {
		c.massOver()
		return c.now
	}
	if c.massSince.IsZero() {
		c.massSince = c.now
		end := c.now.Add(c.opt.MassWait)
		c.log(Error, "many agents are silent at once; none is given up yet: this master may be cut off from them", "silent", silent, "of", known, "until", end.UTC().Format(time.RFC3339))
		c.notice(noticeOf(massKey, end, "%d of %d agents are silent at once, more than the share of %g that is taken for their own failure: none of them becomes unreachable before %s, because it may be the masters that are cut off; mark those gone that will not come back (`proffer agent gone`)",
			silent, known, c.opt.MassShare, end.UTC().Format(time.RFC3339)))
	}
	if c.massUntil = c.massSince.Add(c.opt.MassWait); c.massUntil.After(c.now) {
		// Looked at again meanwhile: enough of them may come back.
		c.massUntil = minTime(c.massUntil, c.now.Add(c.opt.AgentTimeout/4))
	} else {
		c.clearNotice(massKey)
	}
	return c.massUntil
}

// massOver ends the guard's wait.
func (c *Cluster) massOver() {
	if c.massUntil = c.now; !c.massSince.IsZero() {
		c.massSince = time.Time{}
		c.log(Info, "so many agents are back that the rest may be given up")
		c.clearNotice(massKey)
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
