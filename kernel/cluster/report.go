package cluster

import (
	"cmp"
	"math"
	"reflect"
	"time"

	"github.com/profferhq/proffer/kernel/allocator"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// takeReport makes what a registering agent lists the truth about it: tasks,
// executors, and from them the books. What the agent does not list it does not
// have, and will not start, because it closed its former stream first.
func (c *Cluster) takeReport(a *agent, r *link.Register, was agentState) {
	infos := map[sdk.FrameworkID]*sdk.FrameworkInfo{}
	for i := range r.Frameworks {
		infos[r.Frameworks[i].ID] = &r.Frameworks[i]
	}
	former := a.sortedExecutors()
	for _, x := range former {
		a.dropExecutor(executorKey{x.framework.id(), x.info.ExecutorID})
		x.framework.holds(a.id, -1)
		c.publishExecutor(a.id, x, false)
	}
	for i := range r.Executors {
		c.takeExecutor(a, &r.Executors[i], infos)
	}
	listed := map[taskKey]bool{}
	for i := range r.Tasks {
		t := &r.Tasks[i]
		listed[taskKey{t.FrameworkID, t.TaskID}] = true
		c.takeTask(a, t, infos, was)
	}
	for _, t := range a.sortedTasks() {
		if !listed[taskKey{t.framework.id(), t.id}] {
			c.missing(a, t)
		}
	}
	a.shrunk = !c.fits(a)
	c.books.AddAgent(allocator.Agent{ID: a.id, Total: a.info.Resources}, c.claims(a))
	if a.deactivated {
		c.books.DeactivateAgent(a.id)
	}
	c.tellFrameworks(a, r)
	c.askAgain(a)
	c.drainTasks(a)
	for _, x := range former {
		c.buryWhenDone(x.framework)
	}
}

// ownerOf is the framework of something that an agent reports. One that no
// registry holds is taken over from the agent's copy; one that was removed is
// kept until what is left of it has ended.
func (c *Cluster) ownerOf(id sdk.FrameworkID, infos map[sdk.FrameworkID]*sdk.FrameworkInfo) *framework {
	if f := c.frameworks[id]; f != nil {
		return f
	}
	info := sdk.FrameworkInfo{ID: id, Name: string(id)}
	if known := infos[id]; known != nil {
		info = *known
	}
	if !c.reg.WasRemoved(id) && infos[id] != nil {
		c.log(Warn, "framework taken over from an agent: the registry does not know it", "framework", id, "name", info.Name)
		return c.adopt(info, c.now, math.MaxInt64)
	}
	f := newFramework(info, c.now)
	f.zombie = true
	c.frameworks[id] = f
	c.books.AddFramework(bookEntry(f, nil))
	c.books.RemoveFramework(id)
	return f
}

func (c *Cluster) takeExecutor(a *agent, info *sdk.ExecutorInfo, infos map[sdk.FrameworkID]*sdk.FrameworkInfo) {
	f := c.ownerOf(info.FrameworkID, infos)
	x := &executor{info: *info, framework: f, role: roleOf(info.Resources), resources: sdk.Resources(info.Resources).Normalize(), confirmed: true}
	a.addExecutor(executorKey{f.id(), info.ExecutorID}, x)
	f.holds(a.id, 1)
	c.publishExecutor(a.id, x, true)
}

// roleOf is the role that resources are allocated to.
func roleOf(r []sdk.Resource) string {
	for i := range r {
		if r[i].AllocationInfo != nil && r[i].AllocationInfo.Role != "" {
			return r[i].AllocationInfo.Role
		}
	}
	return defaultRole
}

// takeTask takes over one task that an agent reports.
func (c *Cluster) takeTask(a *agent, r *sdk.Task, infos map[sdk.FrameworkID]*sdk.FrameworkInfo, was agentState) {
	f := c.ownerOf(r.FrameworkID, infos)
	t := a.tasks[taskKey{f.id(), r.TaskID}]
	fresh := t == nil
	if fresh {
		if other := f.tasks[r.TaskID]; other != nil {
			// The framework used the id twice, against the rules. Both are kept apart
			// by their agents.
			c.log(Error, "two agents report a task of the same id", "framework", f.id(), "task", r.TaskID, "agent", a.id, "other", other.agent)
		}
		t = &task{id: r.TaskID, framework: f, agent: a.id, executor: r.ExecutorID, role: roleOf(r.Resources), resources: sdk.Resources(r.Resources).Normalize()}
		c.addTask(a, t)
	}
	back := !t.lostAt.IsZero() || was == agentUnreachable
	before := t.state
	t.state, t.launched, t.lostAt = r.State, false, time.Time{}
	t.freed = t.state.Terminal() || len(t.resources) == 0
	if t.runner = a.executors[executorKey{f.id(), t.executor}]; t.runner != nil && !t.freed {
		t.runner.live++
	}
	if t.status == nil && len(r.Statuses) > 0 {
		t.status = &r.Statuses[len(r.Statuses)-1]
	}
	c.publishReported(t, r, fresh, before)
	if back && !t.state.Terminal() {
		s := c.reconciliation(t, "Unreachable agent re-registered")
		s.Reason = sdk.ReasonAgentReregistered
		c.send(f, updateEvent(f, s))
	}
}

// missing ends a task that its agent does not know: it never got there, or its
// end was acknowledged, or what the agent knew of it is lost.
func (c *Cluster) missing(a *agent, t *task) {
	if !t.state.Terminal() {
		state, message := sdk.TaskGone, "The agent does not know the task any more"
		if t.launched {
			state, message = sdk.TaskDropped, "The agent was not reached with the task"
		}
		t.state, t.freed, t.lostAt = state, true, time.Time{} // AddAgent makes the books anew
		c.tellLost(t, sdk.ReasonReconciliation, message)
	}
	c.removeTask(t)
}

// claims are what the books must hold as used on an agent.
func (c *Cluster) claims(a *agent) []allocator.Claim {
	var out []allocator.Claim
	for _, x := range a.sortedExecutors() {
		out = append(out, allocator.Claim{Framework: x.framework.id(), Role: x.role, Resources: x.resources})
	}
	for _, t := range a.sortedTasks() {
		if !t.freed {
			out = append(out, allocator.Claim{Framework: t.framework.id(), Role: t.role, Resources: t.resources})
		}
	}
	return out
}

// tellFrameworks brings the agent's copies of framework infos up to date, and
// ends what belongs to removed ones.
func (c *Cluster) tellFrameworks(a *agent, r *link.Register) {
	for i := range r.Frameworks {
		info := &r.Frameworks[i]
		f := c.frameworks[info.ID]
		switch {
		case f == nil || f.zombie:
			c.tell(a, &link.Event{Type: link.EventShutdownFramework, ShutdownFramework: &link.ShutdownFramework{FrameworkID: info.ID}})
			if f != nil {
				c.buryWhenDone(f)
			}
		case !reflect.DeepEqual(f.info, *info):
			c.tell(a, &link.Event{Type: link.EventFramework, Framework: &link.Framework{Info: f.info}})
		}
	}
}

// askAgain sends what waited for the agent: kills and questions.
func (c *Cluster) askAgain(a *agent) {
	for _, t := range a.sortedTasks() {
		key := taskKey{t.framework.id(), t.id}
		if k := cmp.Or(a.kills[key], t.framework.kills[t.id]); k != nil {
			delete(a.kills, key)
			delete(t.framework.kills, t.id)
			t.kill = k
		}
		if t.kill != nil && !t.state.Terminal() {
			c.tell(a, &link.Event{Type: link.EventKill, Kill: t.kill})
		}
	}
	for _, key := range sortedTaskKeys(a.kills) {
		if f := c.frameworks[key.framework]; f != nil && !f.zombie {
			c.answerUnknown(f, key.task, a.id) // which asks the agent now
		}
	}
	clear(a.kills)
	for i := range a.questions {
		c.tell(a, &link.Event{Type: link.EventReconcile, Reconcile: &a.questions[i]})
	}
	a.questions = nil
	c.settleKept(a)
}
