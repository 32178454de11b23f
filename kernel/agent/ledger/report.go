package ledger

import (
	"strings"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// Report is what the agent tells a leader when it registers. The shell adds what
// only it knows: software and address. Call it right after Step(Opened).
func (l *Ledger) Report() *link.Register {
	r := &link.Register{Agent: l.agentInfo(), BootID: l.boot, Highest: l.fence, Nonce: l.nonce}
	for _, f := range l.sortedFrameworks() {
		r.Frameworks = append(r.Frameworks, *f.info)
		for _, x := range f.executors {
			if !x.builtin() {
				r.Executors = append(r.Executors, *x.info)
			}
		}
	}
	for _, t := range l.sortedTasks() {
		r.Tasks = append(r.Tasks, l.reportTask(t))
	}
	return r
}

func (l *Ledger) reportTask(t *task) sdk.Task {
	out := sdk.Task{
		Name: t.info.Name, TaskID: t.key.task, FrameworkID: t.key.framework, AgentID: l.agent,
		State: sdk.TaskStaging, Resources: t.info.Resources, Labels: t.info.Labels, Discovery: t.info.Discovery,
		Container: t.info.Container, HealthCheck: t.info.HealthCheck, HealthChecks: t.info.HealthChecks, KillPolicy: t.info.KillPolicy, Limits: t.info.Limits,
	}
	if !strings.HasPrefix(string(t.executorID), builtinPrefix) && !t.refused {
		out.ExecutorID = t.executorID
	}
	if t.info.Command != nil {
		out.User = t.info.Command.User
	}
	if t.last != nil {
		out.State = t.last.State
		s := *t.last
		s.UUID = nil
		out.Statuses = []sdk.TaskStatus{s}
	}
	if len(t.queue) > 0 {
		out.StatusUpdateState, out.StatusUpdateUUID = t.queue[0].State, t.queue[0].UUID
	}
	return out
}

// Agent is the agent's id, empty before its first registration.
func (l *Ledger) Agent() sdk.AgentID { return l.agent }

// Fence is the highest that the agent has obeyed.
func (l *Ledger) Fence() link.Fence { return l.fence }

// Registered says whether a leader has taken the agent in on the open stream.
func (l *Ledger) Registered() bool { return l.registered }

// Counts are figures for people and metrics.
type Counts struct {
	Frameworks, Executors, Subscribed int
	Tasks                             int // that hold resources
	Unacknowledged                    int // tasks with an update that is not acknowledged
	Tombstones                        int
	Used                              sdk.Resources
}

// Counts counts.
func (l *Ledger) Counts() Counts {
	c := Counts{Frameworks: len(l.frameworks), Executors: len(l.executorAt), Subscribed: len(l.conns),
		Unacknowledged: len(l.waiting), Tombstones: l.tombs.len(), Used: l.used}
	for _, x := range l.executorAt {
		c.Tasks += len(x.tasks)
	}
	return c
}

// Container is one that the ledger holds to be in use.
type Container struct {
	ID           string
	Framework    *sdk.FrameworkInfo
	Executor     *sdk.ExecutorInfo
	Task         *sdk.TaskInfo // nil for an executor's
	Default      bool          // the executor is the agent's own program
	Process      *sdk.Process  // nil when not known
	AllowedUsers []string
	Principal    string
}

// Containers lists the containers in use, executors before their tasks. What the
// machine has beyond them is left over and goes.
func (l *Ledger) Containers() []Container {
	var out []Container
	for _, f := range l.sortedFrameworks() {
		for _, x := range f.executors {
			c := Container{ID: x.container, Framework: f.info, Executor: x.info, Default: x.def, Process: x.process, AllowedUsers: x.users}
			out = append(out, c)
			for _, t := range sorted(x.tasks) {
				if t.container == "" {
					continue
				}
				c.ID, c.Task, c.Process, c.AllowedUsers, c.Principal = t.container, t.info, t.process, t.users, t.principal
				out = append(out, c)
			}
		}
	}
	return out
}

// Snapshot is the whole durable state as records, for compaction: a Ledger that
// restores them is this one, less what belonged to this run.
func (l *Ledger) Snapshot() []Record {
	out := []Record{{Agent: &AgentRecord{ID: l.agent, BootID: l.boot, Holed: l.holed, Nonce: l.nonce}}, {Fence: &l.fence}}
	for _, f := range l.sortedFrameworks() {
		out = append(out, Record{Framework: &FrameworkRecord{Info: *f.info}})
		for _, x := range f.executors {
			out = append(out, Record{Executor: &ExecutorRecord{Info: *x.info, ContainerID: x.container, Default: x.def, AllowedUsers: x.users}})
			if x.process != nil {
				out = append(out, Record{Process: &ProcessRecord{ContainerID: x.container, Process: *x.process}})
			}
		}
		if f.gone {
			out = append(out, Record{Gone: &FrameworkGone{ID: f.info.ID}})
		}
	}
	for _, t := range l.sortedTasks() {
		out = append(out, l.snapshotTask(t)...)
	}
	out = append(out, l.tombs.snapshot()...)
	for i := range out {
		out[i].At = l.now.UnixNano()
	}
	return out
}

func (l *Ledger) snapshotTask(t *task) []Record {
	rec := &TaskRecord{FrameworkID: t.key.framework, ExecutorID: t.executorID, ContainerID: t.container, Group: t.group,
		Info: *t.info, AllowedUsers: t.users, Principal: t.principal, Refused: t.refused, BootID: t.boot}
	if t.phase == ended { // it holds nothing any more, and its executor may be gone
		rec.Refused, rec.ContainerID = true, ""
	}
	out := []Record{{Task: rec}}
	if t.process != nil && t.phase != ended && t.container != "" {
		out = append(out, Record{Process: &ProcessRecord{ContainerID: t.container, Process: *t.process}})
	}
	if t.kill != nil {
		out = append(out, Record{Kill: t.kill})
	}
	if len(t.queue) == 0 && t.last != nil {
		out = append(out, Record{Update: &UpdateRecord{FrameworkID: t.key.framework, Status: *t.last, Acked: true}})
	}
	for _, s := range t.queue {
		out = append(out, Record{Update: &UpdateRecord{FrameworkID: t.key.framework, Status: *s}})
	}
	return out
}

// Held is what an executor and its tasks hold together: the bounds of the
// container of a framework's own executor.
func (l *Ledger) Held(container string) sdk.Resources {
	x := l.executorAt[container]
	if x == nil {
		return nil
	}
	sum := sdk.Resources(x.info.Resources).WithoutAllocation()
	if x.def {
		return sum
	}
	for _, t := range sorted(x.tasks) {
		sum = sum.Add(sdk.Resources(t.info.Resources).WithoutAllocation())
	}
	return sum
}

// ExecutorOf is the executor that a task of the books belongs to, empty when there
// is no such task.
func (l *Ledger) ExecutorOf(f sdk.FrameworkID, id sdk.TaskID) sdk.ExecutorID {
	if t := l.tasks[taskKey{f, id}]; t != nil {
		return t.executorID
	}
	return ""
}
