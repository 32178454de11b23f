package view

import (
	"maps"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Options bound the histories; zero means the default.
type Options struct {
	CompletedTasks      int // per framework, 1000
	CompletedFrameworks int // 50
	Failures            int // 100
	Statuses            int // kept of one task, 16
}

func (o Options) withDefaults() Options {
	for _, p := range []struct {
		v *int
		d int
	}{{&o.CompletedTasks, 1000}, {&o.CompletedFrameworks, 50}, {&o.Failures, 100}, {&o.Statuses, 16}} {
		if *p.v == 0 {
			*p.v = p.d
		}
	}
	return o
}

// View is the state as of the last event applied.
type View struct {
	opt        Options
	agents     map[sdk.AgentID]*agent
	recovered  map[sdk.AgentID]sdk.AgentInfo
	frameworks map[sdk.FrameworkID]*framework
	completed  []*framework // removed ones, oldest first
	failures   []sdk.FailureRecord
	notices    map[string]sdk.Notice // those that last, by key
}

type agent struct {
	state     sdk.AgentState
	executors map[executorKey]sdk.ExecutorInfo
}

type executorKey struct {
	framework sdk.FrameworkID
	executor  sdk.ExecutorID
}

type framework struct {
	state       sdk.FrameworkState
	tasks       map[sdk.TaskID]*sdk.Task
	unreachable map[sdk.TaskID]*sdk.Task
	completed   []*sdk.Task // oldest first
}

// New is a view of nothing yet.
func New(o Options) *View {
	return &View{
		opt:        o.withDefaults(),
		agents:     map[sdk.AgentID]*agent{},
		recovered:  map[sdk.AgentID]sdk.AgentInfo{},
		frameworks: map[sdk.FrameworkID]*framework{},
		notices:    map[string]sdk.Notice{},
	}
}

// Apply takes an event over, told at now.
func (v *View) Apply(now time.Time, e *sdk.OperatorEvent) {
	switch e.Type {
	case sdk.OperatorEventSubscribed:
		v.load(e.Subscribed.GetState)
	case sdk.OperatorEventTaskAdded:
		v.addTask(&e.TaskAdded.Task)
	case sdk.OperatorEventTaskUpdated:
		v.updateTask(now, e.TaskUpdated)
	case sdk.OperatorEventAgentAdded:
		v.addAgent(e.AgentAdded.Agent)
	case sdk.OperatorEventAgentUpdated:
		v.addAgent(e.AgentUpdated.Agent)
	case sdk.OperatorEventAgentRecovered:
		v.recovered[e.AgentRecovered.AgentInfo.ID] = e.AgentRecovered.AgentInfo
	case sdk.OperatorEventAgentRemoved:
		v.removeAgent(now, e.AgentRemoved.AgentID)
	case sdk.OperatorEventFrameworkAdded:
		v.framework(e.FrameworkAdded.Framework.FrameworkInfo.ID).state = e.FrameworkAdded.Framework
	case sdk.OperatorEventFrameworkUpdated:
		v.framework(e.FrameworkUpdated.Framework.FrameworkInfo.ID).state = e.FrameworkUpdated.Framework
	case sdk.OperatorEventFrameworkRemoved:
		v.removeFramework(now, e.FrameworkRemoved.FrameworkInfo)
	case sdk.OperatorEventNotice:
		if n := *e.Notice; n.Message != "" {
			v.notices[n.Key] = n
		} else {
			delete(v.notices, n.Key)
		}
	case sdk.OperatorEventExecutorAdded:
		x := &e.ExecutorAdded.Executor
		if a := v.agents[x.AgentID]; a != nil {
			a.executors[executorKey{x.ExecutorInfo.FrameworkID, x.ExecutorInfo.ExecutorID}] = x.ExecutorInfo
		}
	case sdk.OperatorEventExecutorRemoved:
		if a := v.agents[e.ExecutorRemoved.AgentID]; a != nil {
			delete(a.executors, executorKey{e.ExecutorRemoved.FrameworkID, e.ExecutorRemoved.ExecutorID})
		}
	}
}

// Public tells whether an event is for the streams of Mesos's clients too.
// Proffer's own types would stop those whose codecs are strict.
func Public(e *sdk.OperatorEvent) bool {
	switch e.Type {
	case sdk.OperatorEventAgentUpdated, sdk.OperatorEventAgentRecovered, sdk.OperatorEventExecutorAdded, sdk.OperatorEventExecutorRemoved,
		sdk.OperatorEventNotice:
		return false
	}
	return true
}

func (v *View) framework(id sdk.FrameworkID) *framework {
	f := v.frameworks[id]
	if f == nil {
		f = &framework{tasks: map[sdk.TaskID]*sdk.Task{}, unreachable: map[sdk.TaskID]*sdk.Task{}}
		f.state.FrameworkInfo.ID = id
		v.frameworks[id] = f
	}
	return f
}

func (v *View) addAgent(s sdk.AgentState) {
	id := s.AgentInfo.ID
	delete(v.recovered, id)
	if a := v.agents[id]; a != nil {
		a.state = s
		return
	}
	v.agents[id] = &agent{state: s, executors: map[executorKey]sdk.ExecutorInfo{}}
}

func (v *View) removeAgent(now time.Time, id sdk.AgentID) {
	name := string(id)
	if a := v.agents[id]; a != nil {
		name = a.state.AgentInfo.Hostname
	} else if info, ok := v.recovered[id]; ok {
		name = info.Hostname
	}
	gone := v.agents[id] != nil && v.agents[id].state.UnreachableTime != nil
	delete(v.agents, id)
	delete(v.recovered, id)
	if gone { // its loss was told when it became unreachable
		for _, f := range v.frameworks {
			maps.DeleteFunc(f.unreachable, func(_ sdk.TaskID, t *sdk.Task) bool { return t.AgentID == id })
		}
		return
	}
	v.fail(now, sdk.FailureRecord{AgentID: id, Message: "Agent " + name + " was lost"})
}

func (v *View) removeFramework(now time.Time, info sdk.FrameworkInfo) {
	f := v.framework(info.ID)
	delete(v.frameworks, info.ID)
	f.state.Active, f.state.Connected, f.state.Recovered = false, false, false
	f.state.UnregisteredTime = &sdk.TimeInfo{Nanoseconds: now.UnixNano()}
	for _, tasks := range []map[sdk.TaskID]*sdk.Task{f.tasks, f.unreachable} {
		for _, id := range slices.Sorted(maps.Keys(tasks)) {
			t := *tasks[id]
			t.State = sdk.TaskKilled
			f.complete(&t, v.opt.CompletedTasks)
		}
		clear(tasks)
	}
	v.completed = append(v.completed, f)
	if n := len(v.completed) - v.opt.CompletedFrameworks; n > 0 {
		v.completed = slices.Delete(v.completed, 0, n)
	}
}

func (v *View) fail(now time.Time, r sdk.FailureRecord) {
	r.Time = sdk.TimeInfo{Nanoseconds: now.UnixNano()}
	v.failures = append(v.failures, r)
	if n := len(v.failures) - v.opt.Failures; n > 0 {
		v.failures = slices.Delete(v.failures, 0, n)
	}
}
