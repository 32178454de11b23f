package ledger

import (
	"bytes"
	"slices"

	"github.com/profferhq/proffer/sdk"
)

// seenMax is how many update ids of a task are remembered to recognise those that
// its executor sends again. An executor sends again what it was not told to be
// stored, which is never many.
const seenMax = 16

// healthMax is how many updates of a task wait for its framework before a newer one
// about its health takes the place of the last. A check that only reports may fail
// for as long as its framework is away, which may be a week.
const healthMax = 16

// aboutHealth tells whether a status says of a running task only how it is.
func aboutHealth(s *sdk.TaskStatus) bool {
	return s.State == sdk.TaskRunning && s.Reason == sdk.ReasonTaskHealthCheckStatusUpdated
}

// apply changes what is durable. It is the only place that does, for new facts and
// for those of the checkpoint alike. It makes no effects.
func (l *Ledger) apply(r *Record) error {
	switch {
	case r.Agent != nil:
		l.agent, l.nonce, l.boot, l.holed = r.Agent.ID, r.Agent.Nonce, r.Agent.BootID, max(l.holed, r.Agent.Holed)
	case r.Fence != nil:
		l.fence = *r.Fence
	case r.Framework != nil:
		l.applyFramework(&r.Framework.Info)
	case r.Gone != nil:
		if f := l.frameworks[r.Gone.ID]; f != nil {
			f.gone = true
		}
	case r.Executor != nil:
		return l.applyExecutor(r.Executor)
	case r.Process != nil:
		l.applyProcess(r.Process)
	case r.End != nil:
		l.applyEnd(r.End)
	case r.Task != nil:
		return l.applyTask(r.Task)
	case r.Kill != nil:
		if t := l.tasks[taskKey{r.Kill.FrameworkID, r.Kill.TaskID}]; t != nil {
			t.kill = r.Kill
		}
	case r.Update != nil:
		return l.applyUpdate(r.Update)
	case r.Ack != nil:
		return l.applyAck(r.Ack)
	case r.Done != nil:
		if t := l.tasks[taskKey{r.Done.FrameworkID, r.Done.TaskID}]; t != nil {
			l.bury(t, r.Done.State, r.Done.Reason)
		}
	case r.Tombstones != nil:
		for i := range r.Tombstones.Tasks {
			s := &r.Tombstones.Tasks[i]
			l.tombs.add(taskKey{r.Tombstones.FrameworkID, s.TaskID}, s.State, s.Reason, s.At)
		}
	default:
		return sdk.Errorf(sdk.CodeUnsupported, "record", "has no body that version %d knows", RecordVersion)
	}
	return nil
}

func (l *Ledger) applyFramework(info *sdk.FrameworkInfo) {
	f := l.frameworks[info.ID]
	if f == nil {
		f = &framework{}
		l.frameworks[info.ID] = f
	}
	f.info, f.gone = info, false
}

func (l *Ledger) applyExecutor(r *ExecutorRecord) error {
	f := l.frameworks[r.Info.FrameworkID]
	if f == nil {
		return sdk.Errorf(sdk.CodeInternal, "record.executor", "belongs to framework %s, which no record before it names", r.Info.FrameworkID)
	}
	x := f.executor(r.Info.ExecutorID)
	if x == nil {
		l.seq++
		x = &executor{fw: f, seq: l.seq, tasks: map[*task]struct{}{}}
		f.executors = append(f.executors, x)
		l.used = l.used.Add(sdk.Resources(r.Info.Resources).WithoutAllocation())
	} else {
		delete(l.executorAt, x.container)
	}
	x.info, x.container, x.def, x.users, x.process = &r.Info, r.ContainerID, r.Default, r.AllowedUsers, nil
	x.phase, x.exit = starting, nil
	l.executorAt[x.container] = x
	return nil
}

func (l *Ledger) applyProcess(r *ProcessRecord) {
	if x := l.executorAt[r.ContainerID]; x != nil {
		x.process = &r.Process
	} else if t := l.taskAt[r.ContainerID]; t != nil {
		t.process = &r.Process
	}
}

func (l *Ledger) applyEnd(r *ExecutorEnd) {
	x := l.executor(r.FrameworkID, r.ExecutorID)
	if x == nil {
		return
	}
	f := x.fw
	f.executors = slices.DeleteFunc(f.executors, func(o *executor) bool { return o == x })
	delete(l.executorAt, x.container)
	if x.conn != 0 {
		delete(l.conns, x.conn)
	}
	l.used = l.used.Subtract(sdk.Resources(x.info.Resources).WithoutAllocation())
	l.dropFramework(f)
}

// dropFramework forgets a framework of which nothing is here any more.
func (l *Ledger) dropFramework(f *framework) {
	if f.tasks == 0 && len(f.executors) == 0 {
		delete(l.frameworks, f.info.ID)
	}
}

func (l *Ledger) applyTask(r *TaskRecord) error {
	key := taskKey{r.FrameworkID, r.Info.TaskID}
	f := l.frameworks[r.FrameworkID]
	switch {
	case f == nil:
		return sdk.Errorf(sdk.CodeInternal, "record.task", "%s belongs to framework %s, which no record before it names", r.Info.TaskID, r.FrameworkID)
	case l.tasks[key] != nil:
		return sdk.Errorf(sdk.CodeInternal, "record.task", "%s of framework %s is admitted a second time", r.Info.TaskID, r.FrameworkID)
	}
	l.seq++
	t := &task{
		key: key, fw: f, info: &r.Info, executorID: r.ExecutorID, container: r.ContainerID, group: r.Group, users: r.AllowedUsers,
		principal: r.Principal, refused: r.Refused, boot: r.BootID, seq: l.seq, restored: l.restoring,
	}
	if !t.refused {
		t.executor = f.executor(r.ExecutorID)
		if t.executor == nil {
			return sdk.Errorf(sdk.CodeInternal, "record.task", "%s belongs to executor %s, which no record before it names", r.Info.TaskID, r.ExecutorID)
		}
		t.executor.tasks[t] = struct{}{}
		l.used = l.used.Add(sdk.Resources(t.info.Resources).WithoutAllocation())
	}
	if t.container != "" {
		l.taskAt[t.container] = t
	}
	f.tasks++
	l.tasks[key] = t
	return nil
}

func (l *Ledger) applyUpdate(r *UpdateRecord) error {
	t := l.tasks[taskKey{r.FrameworkID, r.Status.TaskID}]
	switch {
	case t == nil:
		return sdk.Errorf(sdk.CodeInternal, "record.update", "is about task %s of framework %s, which is not here", r.Status.TaskID, r.FrameworkID)
	case t.phase == ended:
		return sdk.Errorf(sdk.CodeInternal, "record.update", "%s of task %s comes after its end as %s", r.Status.State, r.Status.TaskID, t.last.State)
	}
	t.last = &r.Status
	if r.Process != nil {
		t.process = r.Process
	}
	if t.phase < sent {
		t.phase = sent
	}
	if !r.Acked {
		if n := len(t.queue); n >= healthMax && aboutHealth(t.queue[n-1]) && aboutHealth(t.last) {
			t.queue[n-1] = t.last
		} else {
			t.queue = append(t.queue, t.last)
		}
		l.waiting[t] = struct{}{}
	}
	if len(t.seen) == seenMax {
		t.seen = t.seen[1:]
	}
	t.seen = append(t.seen, t.last.UUID)
	if t.last.State.Terminal() {
		l.applyTerminal(t)
	}
	return nil
}

// applyTerminal frees what an ended task held.
func (l *Ledger) applyTerminal(t *task) {
	t.phase, t.spec, t.final = ended, nil, nil
	delete(l.killing, t)
	if t.container != "" {
		delete(l.taskAt, t.container)
	}
	if !t.refused {
		delete(t.executor.tasks, t)
		t.executor.idleAt = l.now
		l.used = l.used.Subtract(sdk.Resources(t.info.Resources).WithoutAllocation())
	}
}

func (l *Ledger) applyAck(r *AckRecord) error {
	t := l.tasks[taskKey{r.FrameworkID, r.TaskID}]
	if t == nil || len(t.queue) == 0 || !bytes.Equal(t.queue[0].UUID, r.UUID) {
		return sdk.Errorf(sdk.CodeInternal, "record.ack", "of task %s of framework %s is not for its oldest update", r.TaskID, r.FrameworkID)
	}
	t.queue = t.queue[1:]
	if len(t.queue) > 0 {
		return nil
	}
	delete(l.waiting, t)
	if t.phase == ended {
		l.bury(t, t.last.State, t.last.Reason)
	}
	return nil
}

// bury makes a task a tombstone.
func (l *Ledger) bury(t *task, state sdk.TaskState, reason sdk.Reason) {
	if t.phase != ended {
		l.applyTerminal(t)
	}
	delete(l.waiting, t)
	delete(l.tasks, t.key)
	t.fw.tasks--
	if !plantForgetTombstone {
		l.tombs.add(t.key, state, reason, l.now.Unix())
	}
	l.dropFramework(t.fw)
}
