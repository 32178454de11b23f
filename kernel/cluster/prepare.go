package cluster

import (
	"fmt"

	"github.com/profferhq/proffer/sdk"
)

// launching is a task that passed every check, ready to be charged and sent.
type launching struct {
	info          sdk.TaskInfo
	executor      *sdk.ExecutorInfo // the framework's own, else nil
	executorNeeds sdk.Resources     // empty when the agent has the executor
	needs         sdk.Resources     // of the task, and of its executor when that is new
	principal     string
}

// grouping is a task group that passed every check.
type grouping struct {
	executor      sdk.ExecutorInfo
	executorNeeds sdk.Resources
	needs         sdk.Resources
	tasks         []launching
	principal     string
}

// fault is why a task or a group is not launched.
type fault struct {
	reason  sdk.Reason
	message string
}

func invalidTask(format string, args ...any) *fault {
	return &fault{sdk.ReasonTaskInvalid, fmt.Sprintf(format, args...)}
}

func invalidGroup(format string, args ...any) *fault {
	return &fault{sdk.ReasonTaskGroupInvalid, fmt.Sprintf(format, args...)}
}

// prepare checks one task of a LAUNCH and injects what it left out: the role
// that its resources are allocated to, and the framework of its executor.
func (c *Cluster) prepare(acc *acceptance, given *sdk.TaskInfo) (*launching, *fault) {
	f := acc.framework
	l := &launching{info: *given}
	if wrong := c.checkTask(acc, given); wrong != "" {
		return nil, invalidTask("%s", wrong)
	}
	needs, wrong := acc.inject(given.Resources, "resources")
	if wrong != "" {
		return nil, invalidTask("%s", wrong)
	}
	l.info.Resources, l.needs = needs, needs
	if (given.Command == nil) == (given.Executor == nil) {
		return nil, invalidTask("Task should have at least one (but not both) of CommandInfo or ExecutorInfo present")
	}
	if given.Executor != nil {
		e := *given.Executor
		if e.FrameworkID == "" {
			e.FrameworkID = f.id()
		}
		if e.Type == "" || e.Type == sdk.ExecutorUnknown {
			e.Type = sdk.ExecutorCustom
		}
		x, wrong := acc.checkExecutor(&e)
		if wrong != "" {
			return nil, invalidTask("%s", wrong)
		}
		e.Resources = x
		l.executor, l.info.Executor = &e, &e
		if acc.agent.executors[executorKey{f.id(), e.ExecutorID}] == nil {
			l.executorNeeds = x
			l.needs = needs.Add(x)
		}
	}
	if !acc.left.Contains(l.needs) {
		return nil, invalidTask("Total resources %s required by task and its executor is more than available %s", l.needs.Describe(), acc.left.Describe())
	}
	principal, bad := c.credentials(f, given)
	l.principal = principal
	return l, bad
}

// prepareGroup checks a LAUNCH_GROUP. Its executor names its framework itself, as
// Mesos wants it.
func (c *Cluster) prepareGroup(acc *acceptance, op *sdk.Operation) (*grouping, *fault) {
	f, e := acc.framework, op.LaunchGroup.Executor
	if op.ID != "" {
		return nil, invalidGroup("The `id` field cannot be set on LAUNCH_GROUP operations")
	}
	if e.FrameworkID == "" {
		return nil, invalidGroup("'ExecutorInfo.framework_id' must be set")
	}
	if e.Type == "" || e.Type == sdk.ExecutorUnknown {
		return nil, invalidGroup("'ExecutorInfo.type' must be set")
	}
	x, wrong := acc.checkExecutor(&e)
	if wrong == "" {
		wrong = checkGroupExecutor(&e)
	}
	if wrong != "" {
		return nil, invalidGroup("%s", wrong)
	}
	e.Resources = x
	g := &grouping{executor: e}
	if acc.agent.executors[executorKey{f.id(), e.ExecutorID}] == nil {
		g.executorNeeds, g.needs = x, x
	}
	seen := map[sdk.TaskID]bool{}
	for i := range op.LaunchGroup.TaskGroup.Tasks {
		t := &op.LaunchGroup.TaskGroup.Tasks[i]
		if bad := c.prepareMember(acc, g, t, seen); bad != nil {
			return nil, bad
		}
	}
	if !acc.left.Contains(g.needs) {
		return nil, invalidGroup("Total resources %s required by task group and its executor are more than available %s", g.needs.Describe(), acc.left.Describe())
	}
	return g, nil
}

// prepareMember checks one task of a group and adds it.
func (c *Cluster) prepareMember(acc *acceptance, g *grouping, t *sdk.TaskInfo, seen map[sdk.TaskID]bool) *fault {
	wrong := c.checkTask(acc, t)
	var needs sdk.Resources
	if wrong == "" {
		needs, wrong = acc.inject(t.Resources, "resources")
	}
	switch {
	case wrong != "":
	case seen[t.TaskID]:
		wrong = fmt.Sprintf("Task has duplicate ID: %s", t.TaskID)
	case t.Executor != nil:
		wrong = "'TaskInfo.executor' must not be set"
	case g.executor.Type == sdk.ExecutorDefault && t.Command == nil:
		wrong = "'TaskInfo.command' must be set for a task of the default executor"
	}
	if wrong != "" {
		return invalidGroup("Task '%s' is invalid: %s", t.TaskID, wrong)
	}
	seen[t.TaskID] = true
	principal, bad := c.credentials(acc.framework, t)
	if bad != nil {
		return &fault{sdk.ReasonTaskGroupUnauthorized, bad.message}
	}
	if principal != "" && g.principal != "" && principal != g.principal {
		return invalidGroup("Task '%s' is invalid: the tasks of a group ask for credentials of the principals '%s' and '%s'; a group gets one", t.TaskID, g.principal, principal)
	}
	if principal != "" {
		g.principal = principal
	}
	info := *t
	info.Resources = needs
	g.tasks = append(g.tasks, launching{info: info, executor: &g.executor, needs: needs})
	g.needs = g.needs.Add(needs)
	return nil
}

// inject is resources as the books count them: valid, normalized, stamped with
// the role of the offer.
func (acc *acceptance) inject(given []sdk.Resource, field string) (sdk.Resources, string) {
	r := sdk.Resources(given)
	if err := r.Validate(field); err != nil {
		return nil, refusal(err).Message
	}
	for i := range r {
		if a := r[i].AllocationInfo; a != nil && a.Role != acc.role {
			return nil, fmt.Sprintf("Resource '%s' is allocated to role '%s', the offer to role '%s'", r[i].Name, a.Role, acc.role)
		}
	}
	return r.Allocate(acc.role), ""
}

// credentials is the framework principal whose credentials a task asks for, or
// the refusal when its launcher may not hand them out.
func (c *Cluster) credentials(f *framework, t *sdk.TaskInfo) (string, *fault) {
	if t.Labels == nil {
		return "", nil
	}
	for i := range t.Labels.Labels {
		l := &t.Labels.Labels[i]
		if l.Key != frameworkLabel {
			continue
		}
		if err := sdk.ValidateID("labels", l.Value); err != nil {
			return "", invalidTask("Label %s must name a principal: it %s", frameworkLabel, refusal(err).Message)
		}
		if !f.operator && !c.launchers[f.info.Principal] {
			return "", &fault{sdk.ReasonTaskUnauthorized, fmt.Sprintf("Principal '%s' may not start frameworks; the label %s needs an operator, or a principal that the master was told to let (--framework-launcher)", f.info.Principal, frameworkLabel)}
		}
		return l.Value, nil
	}
	return "", nil
}
