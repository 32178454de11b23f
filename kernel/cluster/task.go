package cluster

import (
	"slices"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// taskKey names a task on an agent.
type taskKey struct {
	framework sdk.FrameworkID
	task      sdk.TaskID
}

// executorKey names an executor on an agent.
type executorKey struct {
	framework sdk.FrameworkID
	executor  sdk.ExecutorID
}

// task is one task from its launch until its terminal update is acknowledged.
type task struct {
	id        sdk.TaskID
	framework *framework
	agent     sdk.AgentID
	executor  sdk.ExecutorID // of the framework's own executor; empty for the default one
	runner    *executor      // that executor, while the agent has it
	role      string         // that its resources are allocated to
	resources sdk.Resources

	state    sdk.TaskState   // the latest that is known
	status   *sdk.TaskStatus // the latest that came from the agent; nil before
	unacked  *sdk.TaskStatus // with a uuid that the framework has not acknowledged
	freed    bool            // its resources went back to the books
	lostAt   time.Time       // when its agent became unreachable; zero while it is not
	launched bool            // sent by this leader and never yet heard of
	twin     bool            // another agent has told of the id before: see addTask

	kill *link.Kill // sent again when the agent is back
}

// executor is one executor of a framework's own on an agent.
type executor struct {
	info      sdk.ExecutorInfo
	framework *framework
	role      string
	resources sdk.Resources
	live      int  // tasks that hold resources
	confirmed bool // the agent has said something of it
	closing   bool // its end was asked for
}

// addTask puts a task into every index. One whose id another agent has told before is its
// framework's twin: it is not spoken of while that other one is there, but what it uses is
// not free.
func (c *Cluster) addTask(a *agent, t *task) {
	f := t.framework
	if t.twin = f.tasks[t.id] != nil; t.twin {
		f.twins[t.id] = append(f.twins[t.id], t)
	} else {
		f.tasks[t.id] = t
	}
	f.holds(t.agent, 1)
	a.tasks[taskKey{t.framework.id(), t.id}] = t
}

// taskAt is the framework's task on that agent, or the one that is spoken of where the agent
// has none of the id or none is named; nil: nobody knows it.
func (f *framework) taskAt(a *agent, id sdk.TaskID) *task {
	if a != nil {
		if t := a.tasks[taskKey{f.id(), id}]; t != nil {
			return t
		}
	}
	return f.tasks[id]
}

// removeTask takes a task out of every index; its resources must be back.
func (c *Cluster) removeTask(t *task) {
	f := t.framework
	if t.twin {
		f.twins[t.id] = slices.DeleteFunc(f.twins[t.id], func(x *task) bool { return x == t })
	} else {
		delete(f.tasks, t.id)
		if next := f.twins[t.id]; len(next) > 0 {
			f.tasks[t.id], f.twins[t.id], next[0].twin = next[0], next[1:], false
		}
	}
	if len(f.twins[t.id]) == 0 {
		delete(f.twins, t.id)
	}
	f.holds(t.agent, -1)
	if a := c.agents[t.agent]; a != nil {
		delete(a.tasks, taskKey{f.id(), t.id})
	}
	c.buryWhenDone(f)
}

// free gives a task's resources back to the books, once.
func (c *Cluster) free(t *task) {
	if t.freed && !plantFreeTwice {
		return
	}
	t.freed = true
	if t.runner != nil {
		t.runner.live--
	}
	c.release(t.framework, t.agent, t.role, t.resources)
}

// taskOf is the task as operators see it.
func taskOf(t *task, info *sdk.TaskInfo) sdk.Task {
	return sdk.Task{
		Name:         info.Name,
		TaskID:       t.id,
		FrameworkID:  t.framework.id(),
		ExecutorID:   t.executor,
		AgentID:      t.agent,
		State:        t.state,
		Resources:    t.resources,
		Labels:       info.Labels,
		Discovery:    info.Discovery,
		Container:    info.Container,
		HealthCheck:  info.HealthCheck,
		HealthChecks: info.HealthChecks,
		KillPolicy:   info.KillPolicy,
		User:         userOf(t.framework, info),
		Limits:       info.Limits,
	}
}

// userOf is the user that the task asks for.
func userOf(f *framework, info *sdk.TaskInfo) string {
	for _, command := range []*sdk.CommandInfo{info.Command, executorCommand(info.Executor)} {
		if command != nil && command.User != "" {
			return command.User
		}
	}
	return f.info.User
}

func executorCommand(e *sdk.ExecutorInfo) *sdk.CommandInfo {
	if e == nil {
		return nil
	}
	return e.Command
}
