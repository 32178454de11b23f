package ledger

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// refusal is why a task is not taken.
type refusal struct {
	state   sdk.TaskState
	reason  sdk.Reason
	message string
}

// run admits tasks, or refuses them in a status. What is admitted is in the books
// before anything is made for it.
func (l *Ledger) run(r *link.Run) {
	f := l.know(&r.Framework)
	x, no := l.executorFor(f, r)
	fresh := sdk.Resources(nil) // what a new executor of the framework's own holds
	if x == nil && no == nil && r.Executor != nil {
		fresh = sdk.Resources(r.Executor.Resources).WithoutAllocation()
	}
	var good []*sdk.TaskInfo
	wanted := fresh
	for i := range r.Tasks {
		info := &r.Tasks[i]
		key := taskKey{f.info.ID, info.TaskID}
		if t := l.tasks[key]; t != nil || slices.ContainsFunc(good, func(g *sdk.TaskInfo) bool { return g.TaskID == info.TaskID }) {
			l.alive(key, t)
			if r.Group && no == nil {
				no = &refusal{sdk.TaskError, sdk.ReasonTaskGroupInvalid, fmt.Sprintf("task id %s of the group is in use", info.TaskID)}
			}
			continue
		}
		why := no
		if why == nil {
			why = l.check(key, info, wanted)
		}
		if why != nil {
			if r.Group && no == nil {
				no = why
			}
			l.refuse(f, info, why)
			continue
		}
		wanted = wanted.Add(sdk.Resources(info.Resources).WithoutAllocation())
		good = append(good, info)
	}
	if r.Group && no != nil { // all or none: those found good before the bad one go too
		for _, info := range good {
			l.refuse(f, info, no)
		}
		good = nil
	}
	if len(good) == 0 {
		l.dropFramework(f)
		return
	}
	if x == nil {
		x = l.newExecutor(f, r)
	}
	l.admit(x, r, good)
}

// alive answers a RUN for a task that lives. A refusal would look like its end.
func (l *Ledger) alive(key taskKey, t *task) {
	l.note(string(key.task), "a second launch of a task that is here was ignored")
	if t != nil {
		l.reconcile(&link.Reconcile{FrameworkID: key.framework, TaskID: key.task})
	}
}

// executorFor finds the executor that a RUN names; nil means a new one.
func (l *Ledger) executorFor(f *framework, r *link.Run) (*executor, *refusal) {
	if l.stopping {
		return nil, &refusal{sdk.TaskDropped, sdk.ReasonAgentRestarted, "The agent is stopping"}
	}
	if r.Executor == nil {
		for _, x := range f.executors {
			if x.builtin() && !x.retired && !x.closing {
				return x, nil
			}
		}
		return nil, nil
	}
	x := f.executor(r.Executor.ExecutorID)
	if x == nil {
		return nil, nil
	}
	info := *r.Executor
	info.FrameworkID = f.info.ID
	switch {
	case !reflect.DeepEqual(&info, x.info):
		return nil, &refusal{sdk.TaskError, sdk.ReasonTaskInvalid,
			fmt.Sprintf("Executor %s is here with another ExecutorInfo; use that one, or another executor id", x.id())}
	case x.closing || x.phase == leaving:
		return nil, &refusal{sdk.TaskDropped, sdk.ReasonExecutorTerminated, fmt.Sprintf("Executor %s is ending", x.id())}
	}
	return x, nil
}

// check says what stands against a task beside wanted.
func (l *Ledger) check(key taskKey, info *sdk.TaskInfo, wanted sdk.Resources) *refusal {
	if state, _, ok := l.tombs.get(key); ok {
		return &refusal{sdk.TaskError, sdk.ReasonTaskInvalid, fmt.Sprintf("Task id %s is used up: that task ended here as %s", key.task, state)}
	}
	if info.AgentID != l.agent {
		return &refusal{sdk.TaskDropped, sdk.ReasonInvalidOffers, fmt.Sprintf("The task is for agent %s, this is %s", info.AgentID, l.agent)}
	}
	need := sdk.Resources(info.Resources).WithoutAllocation().Add(wanted)
	free := l.total.Subtract(l.used)
	if !free.Contains(need) {
		return &refusal{sdk.TaskDropped, sdk.ReasonResourcesUnknown,
			fmt.Sprintf("The task needs %s, the agent has %s free", need.String(), free.String())}
	}
	return nil
}

// refuse enters a task only to bring its refusal to the framework.
func (l *Ledger) refuse(f *framework, info *sdk.TaskInfo, why *refusal) {
	l.commit(Record{Task: &TaskRecord{FrameworkID: f.info.ID, ExecutorID: "-", Info: sdk.TaskInfo{
		Name: info.Name, TaskID: info.TaskID, AgentID: info.AgentID, Labels: info.Labels,
	}, Refused: true}})
	t := l.tasks[taskKey{f.info.ID, info.TaskID}]
	l.update(t, sdk.TaskStatus{TaskID: info.TaskID, State: why.state, Reason: why.reason, Message: why.message, Source: sdk.SourceAgent}, nil)
}

func (l *Ledger) newExecutor(f *framework, r *link.Run) *executor {
	rec := ExecutorRecord{ContainerID: l.newContainer(), AllowedUsers: r.AllowedUsers}
	if r.Executor != nil {
		rec.Info, rec.Default = *r.Executor, r.Executor.Type == sdk.ExecutorDefault
	} else {
		rec.Info, rec.Default = sdk.ExecutorInfo{ExecutorID: builtinID(f)}, true
	}
	rec.Info.FrameworkID = f.info.ID
	l.commit(Record{Executor: &rec})
	x := l.executorAt[rec.ContainerID]
	l.start(x, false)
	return x
}

// builtinPrefix begins the ids of executors that frameworks do not know of.
const builtinPrefix = "proffer-default-"

func builtinID(f *framework) sdk.ExecutorID {
	for n := 1; ; n++ {
		id := sdk.ExecutorID(fmt.Sprintf("%s%d", builtinPrefix, n))
		if f.executor(id) == nil {
			return id
		}
	}
}

func (l *Ledger) admit(x *executor, r *link.Run, infos []*sdk.TaskInfo) {
	group := ""
	if r.Group {
		group = string(infos[0].TaskID)
	}
	admitted := make([]*task, 0, len(infos))
	for _, info := range infos {
		rec := TaskRecord{FrameworkID: r.Framework.ID, ExecutorID: x.id(), Group: group, Info: *info, AllowedUsers: r.AllowedUsers, BootID: l.boot}
		if x.def {
			rec.ContainerID = l.newContainer()
		}
		if r.FrameworkPrincipal != "" && label(info.Labels, "PROFFER_FRAMEWORK") == r.FrameworkPrincipal {
			rec.Principal = r.FrameworkPrincipal
		}
		l.commit(Record{Task: &rec})
		admitted = append(admitted, l.tasks[taskKey{r.Framework.ID, info.TaskID}])
	}
	for _, t := range admitted {
		if x.def {
			l.do(Prepare{ContainerID: t.container, Framework: t.fw.info, ExecutorID: x.id(), Task: t.info, AllowedUsers: t.users, Principal: t.principal})
		} else {
			t.phase = prepared
		}
	}
	if !x.def {
		l.resize(x)
		l.deliver(x)
	}
}

// resize fits the container of a framework's own executor to what it holds.
func (l *Ledger) resize(x *executor) {
	if x.phase != leaving && len(x.tasks) > 0 {
		l.do(Resize{ContainerID: x.container, Resources: l.Held(x.container)})
	}
}

func label(ls *sdk.Labels, key string) string {
	if ls == nil {
		return ""
	}
	for i := range ls.Labels {
		if ls.Labels[i].Key == key {
			return ls.Labels[i].Value
		}
	}
	return ""
}
