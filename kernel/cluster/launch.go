package cluster

import (
	"slices"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// frameworkLabel is the label by which a task asks for the credentials of the
// framework principal that is its value.
const frameworkLabel = "PROFFER_FRAMEWORK"

// run is one RUN event that an ACCEPT collects: tasks of one executor that ask
// for the same credentials.
type run struct {
	executor  *sdk.ExecutorInfo // nil for the default executor
	principal string
	tasks     []sdk.TaskInfo
	group     bool
}

func (r *run) event(acc *acceptance, users []string) *link.Event {
	return &link.Event{Type: link.EventRun, Run: &link.Run{
		Framework:          acc.framework.info,
		Executor:           r.executor,
		Tasks:              r.tasks,
		Group:              r.group,
		FrameworkPrincipal: r.principal,
		AllowedUsers:       users,
	}}
}

// addRun puts a task into the last RUN when it belongs there, else into a new one.
func (acc *acceptance) addRun(t sdk.TaskInfo, e *sdk.ExecutorInfo, principal string) {
	if n := len(acc.runs); n > 0 {
		last := acc.runs[n-1]
		if !last.group && last.principal == principal && sameExecutor(last.executor, e) {
			last.tasks = append(last.tasks, t)
			return
		}
	}
	acc.runs = append(acc.runs, &run{executor: e, principal: principal, tasks: []sdk.TaskInfo{t}})
}

func sameExecutor(a, b *sdk.ExecutorInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ExecutorID == b.ExecutorID
}

// launch carries out one LAUNCH: each task stands for itself.
func (c *Cluster) launch(acc *acceptance, op *sdk.Operation) {
	f := acc.framework
	for i := range op.Launch.TaskInfos {
		given := &op.Launch.TaskInfos[i]
		if op.ID != "" {
			c.refuseTask(f, given, sdk.TaskError, sdk.ReasonTaskInvalid, "The `id` field cannot be set on LAUNCH operations")
			continue
		}
		l, bad := c.prepare(acc, given)
		if bad != nil {
			c.refuseTask(f, given, sdk.TaskError, bad.reason, bad.message)
			continue
		}
		acc.charge(l.needs)
		var e *sdk.ExecutorInfo
		if l.executor != nil {
			e = c.ensureExecutor(acc, l.executor, l.executorNeeds)
		}
		acc.addRun(l.info, e, l.principal)
		c.started(acc, l, e)
	}
}

func (acc *acceptance) charge(needs sdk.Resources) {
	acc.left = acc.left.Subtract(needs)
	acc.used = acc.used.Add(needs)
}

// ensureExecutor is the executor as the agent knows it or will know it: its
// resources are counted once, when its first task is launched.
func (c *Cluster) ensureExecutor(acc *acceptance, info *sdk.ExecutorInfo, needs sdk.Resources) *sdk.ExecutorInfo {
	key := executorKey{acc.framework.id(), info.ExecutorID}
	if known := acc.agent.executors[key]; known != nil {
		return &known.info
	}
	x := &executor{info: *info, framework: acc.framework, role: acc.role, resources: needs}
	acc.agent.addExecutor(key, x)
	acc.framework.holds(acc.agent.id, 1)
	c.publishExecutor(acc.agent.id, x, true)
	return &x.info
}

// started makes a launched task part of the cluster's state.
func (c *Cluster) started(acc *acceptance, l *launching, e *sdk.ExecutorInfo) {
	t := &task{
		id:        l.info.TaskID,
		framework: acc.framework,
		agent:     acc.agent.id,
		role:      acc.role,
		resources: l.info.Resources,
		state:     sdk.TaskStaging,
		launched:  true,
	}
	if e != nil {
		t.executor = e.ExecutorID
		t.runner = acc.agent.executors[executorKey{acc.framework.id(), e.ExecutorID}]
		t.runner.live++
	}
	c.addTask(acc.agent, t)
	c.publish(&sdk.OperatorEvent{Type: sdk.OperatorEventTaskAdded, TaskAdded: &sdk.TaskAdded{Task: taskOf(t, &l.info), OfferIDs: acc.offerIDs}})
}

// launchGroup carries out one LAUNCH_GROUP: all tasks or none.
func (c *Cluster) launchGroup(acc *acceptance, op *sdk.Operation) {
	f, group := acc.framework, &op.LaunchGroup.TaskGroup
	g, bad := c.prepareGroup(acc, op)
	if bad != nil {
		for i := range group.Tasks {
			c.refuseTask(f, &group.Tasks[i], sdk.TaskError, bad.reason, bad.message)
		}
		return
	}
	if len(group.Tasks) == 0 {
		return
	}
	acc.charge(g.needs)
	e := c.ensureExecutor(acc, &g.executor, g.executorNeeds)
	r := &run{executor: e, principal: g.principal, group: true}
	for i := range g.tasks {
		r.tasks = append(r.tasks, g.tasks[i].info)
		c.started(acc, &g.tasks[i], e)
	}
	acc.runs = append(acc.runs, r)
}

// usersOf are the users that the framework's tasks may name.
func (c *Cluster) usersOf(f *framework) []string {
	own, all := c.opt.AllowedUsers[f.info.Principal], c.opt.AllowedUsers[""]
	if len(own)+len(all) == 0 {
		return nil
	}
	users := slices.Concat(own, all)
	slices.Sort(users)
	return slices.Compact(users)
}
