package cluster

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/sdk"
)

// What is to end on an unreachable agent outlives this leader: the registry keeps it until
// the agent is back and every one of those tasks has ended or is unknown there, until the
// agent is gone, or until the framework is removed. A framework that is removed needs none
// of it: the registry remembers the removal.

// keep has the registry keep kills for an agent that is away; then is called when that is
// decided. What the registry has no room for stays in this leader's memory.
func (c *Cluster) keep(a *agent, kills []registry.Kill, then func()) {
	known, _ := c.reg.Agent(a.id)
	kills = slices.DeleteFunc(kills, func(k registry.Kill) bool { // frameworks say it again and again
		return slices.ContainsFunc(known.Kills, func(old registry.Kill) bool { return reflect.DeepEqual(old, k) })
	})
	if len(kills) == 0 {
		then()
		return
	}
	c.propose(registry.Command{
		Type:      registry.CommandKeepKills,
		KeepKills: &registry.KeepKills{ID: a.id, Kills: kills},
	}, func(r registry.Result) {
		if r.Left > 0 {
			c.log(Warn, "too many kills wait for an agent; a change of the leader forgets the rest", "agent", a.id, "not kept", r.Left)
		}
		a.keeps = a.keeps || r.Err == nil
		c.settleKept(a)
		then()
	})
}

// keptKill is what the registry keeps of a kill.
func keptKill(k *link.Kill) registry.Kill {
	return registry.Kill{FrameworkID: k.FrameworkID, TaskID: k.TaskID, KillPolicy: k.KillPolicy}
}

// recall takes over what earlier leaders have promised.
func (a *agent) recall(kills []registry.Kill) {
	for _, k := range kills {
		a.kills[taskKey{k.FrameworkID, k.TaskID}] = &link.Kill{FrameworkID: k.FrameworkID, TaskID: k.TaskID, KillPolicy: k.KillPolicy}
		a.keeps = true
	}
}

// unkept are the kills that only this leader knows of, when it loses the agent. A drain's
// are not among them: that stands in the registry itself.
func (c *Cluster) unkept(a *agent) []registry.Kill {
	waiting := maps.Clone(a.kills)
	for key, t := range a.tasks {
		if t.kill != nil && t.kill.Reason == "" && !t.state.Terminal() {
			waiting[key] = t.kill
		}
	}
	var out []registry.Kill
	for _, key := range sortedTaskKeys(waiting) {
		out = append(out, keptKill(waiting[key]))
	}
	return out
}

// settleKept has the registry forget the kills of an agent that is back when nothing of
// them is left to be done.
func (c *Cluster) settleKept(a *agent) {
	if !a.keeps || a.state != agentHere {
		return
	}
	known, _ := c.reg.Agent(a.id)
	for _, k := range known.Kills {
		if t := a.tasks[taskKey{k.FrameworkID, k.TaskID}]; t != nil && !t.state.Terminal() && !t.framework.zombie {
			return
		}
	}
	a.keeps = false
	if len(known.Kills) > 0 {
		c.propose(registry.Command{Type: registry.CommandForgetKills, Agent: &registry.AgentRef{ID: a.id}}, func(registry.Result) {})
	}
}

// settleAllKept looks again after a framework has gone with all of its kills.
func (c *Cluster) settleAllKept() {
	keepers := maps.Clone(c.agents)
	maps.DeleteFunc(keepers, func(_ sdk.AgentID, a *agent) bool { return !a.keeps })
	for _, id := range sortedKeys(keepers) {
		c.settleKept(keepers[id])
	}
}

func sortedTaskKeys[V any](m map[taskKey]V) []taskKey {
	return slices.SortedFunc(maps.Keys(m), func(x, y taskKey) int {
		return cmp.Or(strings.Compare(string(x.framework), string(y.framework)), strings.Compare(string(x.task), string(y.task)))
	})
}
