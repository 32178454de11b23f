package view

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/profferhq/proffer/sdk"
)

// Answer answers the operator calls that only read what is seen here; nil for
// all other calls.
func (v *View) Answer(call sdk.OperatorCallType) *sdk.OperatorResponse {
	r := &sdk.OperatorResponse{Type: sdk.OperatorResponseType(call)}
	switch call {
	case sdk.OperatorGetState:
		r.GetState = v.State()
	case sdk.OperatorGetAgents:
		r.GetAgents = v.Agents()
	case sdk.OperatorGetFrameworks:
		r.GetFrameworks = v.Frameworks()
	case sdk.OperatorGetExecutors:
		r.GetExecutors = v.Executors()
	case sdk.OperatorGetTasks:
		r.GetTasks = v.Tasks()
	case sdk.OperatorGetFailures:
		r.GetFailures = v.Failures()
	default:
		return nil
	}
	return r
}

// State is everything at this moment; the snapshot that SUBSCRIBED carries.
func (v *View) State() *sdk.GetState {
	return &sdk.GetState{GetTasks: v.Tasks(), GetExecutors: v.Executors(), GetFrameworks: v.Frameworks(), GetAgents: v.Agents(), Notices: v.Notices()}
}

// Notices are what people should know now, by key.
func (v *View) Notices() []sdk.Notice {
	var out []sdk.Notice
	for _, key := range slices.Sorted(maps.Keys(v.notices)) {
		out = append(out, v.notices[key])
	}
	return out
}

// Agents are the agents by id, with what is used of them.
func (v *View) Agents() *sdk.GetAgents {
	used := map[sdk.AgentID]sdk.Resources{}
	v.eachUse(func(_ sdk.FrameworkID, agent sdk.AgentID, r []sdk.Resource) { used[agent] = used[agent].Add(r) })
	out := &sdk.GetAgents{}
	for _, id := range slices.Sorted(maps.Keys(v.agents)) {
		s := v.agents[id].state
		s.AllocatedResources = used[id]
		out.Agents = append(out.Agents, s)
	}
	for _, id := range slices.Sorted(maps.Keys(v.recovered)) {
		out.RecoveredAgents = append(out.RecoveredAgents, v.recovered[id])
	}
	return out
}

// Frameworks are the frameworks by id with what they use, and those removed
// last, oldest first.
func (v *View) Frameworks() *sdk.GetFrameworks {
	used := map[sdk.FrameworkID]sdk.Resources{}
	v.eachUse(func(f sdk.FrameworkID, _ sdk.AgentID, r []sdk.Resource) { used[f] = used[f].Add(r) })
	out := &sdk.GetFrameworks{}
	for _, id := range slices.Sorted(maps.Keys(v.frameworks)) {
		s := v.frameworks[id].state
		s.AllocatedResources = used[id]
		out.Frameworks = append(out.Frameworks, s)
	}
	for _, f := range v.completed {
		out.CompletedFrameworks = append(out.CompletedFrameworks, f.state)
	}
	return out
}

// eachUse visits what tasks and executors hold.
func (v *View) eachUse(visit func(f sdk.FrameworkID, agent sdk.AgentID, r []sdk.Resource)) {
	for _, id := range slices.Sorted(maps.Keys(v.agents)) {
		for _, key := range v.agents[id].sortedExecutors() {
			visit(key.framework, id, v.agents[id].executors[key].Resources)
		}
	}
	for _, fid := range slices.Sorted(maps.Keys(v.frameworks)) {
		f := v.frameworks[fid]
		for _, id := range slices.Sorted(maps.Keys(f.tasks)) {
			visit(fid, f.tasks[id].AgentID, f.tasks[id].Resources)
		}
	}
}

func (a *agent) sortedExecutors() []executorKey {
	return slices.SortedFunc(maps.Keys(a.executors), func(x, y executorKey) int {
		return cmp.Or(strings.Compare(string(x.framework), string(y.framework)), strings.Compare(string(x.executor), string(y.executor)))
	})
}

// Executors are the executors of frameworks' own, by agent, framework and id.
func (v *View) Executors() *sdk.GetExecutors {
	out := &sdk.GetExecutors{}
	for _, id := range slices.Sorted(maps.Keys(v.agents)) {
		a := v.agents[id]
		for _, key := range a.sortedExecutors() {
			out.Executors = append(out.Executors, sdk.ExecutorState{ExecutorInfo: a.executors[key], AgentID: id})
		}
	}
	return out
}

// Tasks are all tasks by framework: live and unreachable ones by id, ended ones
// oldest first, those of removed frameworks included.
func (v *View) Tasks() *sdk.GetTasks {
	out := &sdk.GetTasks{}
	for _, f := range v.completed {
		for _, t := range f.completed {
			out.CompletedTasks = append(out.CompletedTasks, *t)
		}
	}
	for _, fid := range slices.Sorted(maps.Keys(v.frameworks)) {
		f := v.frameworks[fid]
		for _, id := range slices.Sorted(maps.Keys(f.tasks)) {
			out.Tasks = append(out.Tasks, *f.tasks[id])
		}
		for _, id := range slices.Sorted(maps.Keys(f.unreachable)) {
			out.UnreachableTasks = append(out.UnreachableTasks, *f.unreachable[id])
		}
		for _, t := range f.completed {
			out.CompletedTasks = append(out.CompletedTasks, *t)
		}
	}
	return out
}

// Failures are the last tasks and agents that failed, newest first.
func (v *View) Failures() *sdk.GetFailures {
	out := &sdk.GetFailures{Failures: slices.Clone(v.failures)}
	slices.Reverse(out.Failures)
	return out
}

// load replaces everything by a snapshot, for a follower of the stream.
func (v *View) load(s *sdk.GetState) {
	fresh := New(v.opt)
	fresh.failures = v.failures
	*v = *fresh
	if s == nil {
		return
	}
	for _, n := range s.Notices {
		v.notices[n.Key] = n
	}
	if s.GetAgents != nil {
		for _, a := range s.GetAgents.Agents {
			v.addAgent(a)
		}
		for _, info := range s.GetAgents.RecoveredAgents {
			v.recovered[info.ID] = info
		}
	}
	if s.GetFrameworks != nil {
		for _, f := range s.GetFrameworks.CompletedFrameworks {
			v.completed = append(v.completed, &framework{state: f})
		}
		for _, f := range s.GetFrameworks.Frameworks {
			v.framework(f.FrameworkInfo.ID).state = f
		}
	}
	if s.GetExecutors != nil {
		for _, x := range s.GetExecutors.Executors {
			if a := v.agents[x.AgentID]; a != nil {
				a.executors[executorKey{x.ExecutorInfo.FrameworkID, x.ExecutorInfo.ExecutorID}] = x.ExecutorInfo
			}
		}
	}
	if s.GetTasks != nil {
		for _, list := range [][]sdk.Task{s.GetTasks.Tasks, s.GetTasks.UnreachableTasks, s.GetTasks.CompletedTasks} {
			for i := range list {
				v.loadTask(&list[i])
			}
		}
	}
}

// loadTask puts a task of a snapshot where it belongs.
func (v *View) loadTask(t *sdk.Task) {
	if f := v.frameworks[t.FrameworkID]; f != nil {
		f.place(t, v.opt.CompletedTasks)
		return
	}
	for _, f := range v.completed {
		if f.state.FrameworkInfo.ID == t.FrameworkID {
			f.complete(t, v.opt.CompletedTasks)
			return
		}
	}
}
