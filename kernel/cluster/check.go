package cluster

import (
	"fmt"
	"slices"

	"github.com/profferhq/proffer/sdk"
)

// Check looks for a contradiction in this mind, the slow and obvious way: an
// index that differs from another, an agent that is promised away twice, books
// that differ from what they are about. Tests and kernel/sim call it after every
// step.
func (c *Cluster) Check() error {
	if c.dead {
		return nil
	}
	if err := c.books.Check(); err != nil {
		return err
	}
	for _, id := range sortedKeys(c.offers) {
		o := c.offers[id]
		switch {
		case o.over || o.framework.offers[id] != o || o.agent.offers[id] != o:
			return fmt.Errorf("offer %s stands in one index and not in another", id)
		case !o.framework.subscribed:
			return fmt.Errorf("offer %s is held by framework %s, which has no stream", id, o.framework.id())
		case o.agent.session == "":
			return fmt.Errorf("offer %s is of agent %s, which has no stream", id, o.agent.id)
		}
	}
	for _, id := range sortedKeys(c.agents) {
		if err := c.checkAgent(c.agents[id]); err != nil {
			return err
		}
	}
	return c.checkFrameworks()
}

// checkAgent recomputes what is offered and used of an agent.
func (c *Cluster) checkAgent(a *agent) error {
	var promised sdk.Resources
	for _, o := range byAge(a.offers) {
		if c.offers[o.id] != o {
			return fmt.Errorf("agent %s holds the offer %s, which is over", a.id, o.id)
		}
		promised = append(promised, o.resources...)
	}
	live := map[*executor]int{}
	for key, t := range a.tasks {
		switch {
		case t.twin == (t.framework.tasks[key.task] == t) || t.twin != slices.Contains(t.framework.twins[key.task], t) || t.agent != a.id:
			return fmt.Errorf("task %s of agent %s is not in its framework", key.task, a.id)
		case t.state.Terminal() && !t.freed:
			return fmt.Errorf("task %s is %s and still holds %s", key.task, t.state, t.resources)
		case !t.freed:
			promised = append(promised, t.resources...)
			live[t.runner]++
		}
	}
	for _, x := range a.sortedExecutors() {
		promised = append(promised, x.resources...)
		if x.live != live[x] {
			return fmt.Errorf("executor %s of agent %s counts %d live tasks, it has %d", x.info.ExecutorID, a.id, x.live, live[x])
		}
	}
	if a.state != agentHere || a.shrunk {
		return nil
	}
	total, sum := sdk.Resources(a.info.Resources), promised.WithoutAllocation()
	if !total.Contains(sum) {
		return fmt.Errorf("agent %s has %s, of which %s is offered or used", a.id, total, sum)
	}
	// A sum of ranges hides what is in it twice.
	single := map[string]uint64{}
	for i := range promised {
		if promised[i].Ranges != nil {
			single[promised[i].Name] += promised[i].Ranges.Count()
		}
	}
	for name, n := range single {
		if union := promised.Ranges(name); union.Count() != n {
			return fmt.Errorf("agent %s: some of %s %s is offered or used twice", a.id, name, union)
		}
	}
	return nil
}

func (c *Cluster) checkFrameworks() error {
	for _, id := range sortedKeys(c.frameworks) {
		f := c.frameworks[id]
		if f.subscribed && c.schedulers[f.session] == nil {
			return fmt.Errorf("framework %s is subscribed on the stream %s, which is closed", id, f.session)
		}
		held := map[sdk.AgentID]int{}
		for _, t := range f.sortedTasks() {
			held[t.agent]++
		}
		for _, a := range c.agents {
			for key := range a.executors {
				if key.framework == id {
					held[a.id]++
				}
			}
		}
		if len(held) != len(f.at) {
			return fmt.Errorf("framework %s counts its things on %d agents, they are on %d", id, len(f.at), len(held))
		}
		for agent, n := range held {
			if f.at[agent] != n {
				return fmt.Errorf("framework %s counts %d things on agent %s, they are %d", id, f.at[agent], agent, n)
			}
		}
		if f.zombie && len(held) == 0 {
			return fmt.Errorf("framework %s is removed and nothing is left of it, but it is remembered", id)
		}
	}
	return nil
}
