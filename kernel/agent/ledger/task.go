package ledger

import (
	"bytes"
	"fmt"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

func (l *Ledger) seconds() float64 { return float64(l.now.UnixMicro()) / 1e6 }

// update puts a status into the books, and sends it when none waits before it.
func (l *Ledger) update(t *task, s sdk.TaskStatus, p *sdk.Process) {
	s.AgentID = l.agent
	if s.Timestamp == 0 {
		s.Timestamp = l.seconds()
	}
	if len(s.UUID) == 0 {
		s.UUID = l.newUUID()
	}
	if t.note != "" {
		if s.Message != "" {
			s.Message += "; "
		}
		s.Message += t.note
		t.note = ""
	}
	if t.kill != nil && s.Reason == "" && (s.State == sdk.TaskKilling || s.State == sdk.TaskKilled) {
		s.Reason = t.kill.Reason
	}
	l.describe(t, &s, p)
	l.commit(Record{Update: &UpdateRecord{FrameworkID: t.key.framework, Status: s, Process: p}})
	switch {
	case t.fw.gone && t.phase == ended:
		// Nobody acknowledges it, but the leader waits for its resources. Should this
		// get lost with the stream, the next registration tells the same.
		l.send(&link.Call{Type: link.CallUpdate, Update: &link.Update{FrameworkID: t.key.framework, Status: s}})
		l.commit(Record{Done: &DoneRecord{FrameworkID: t.key.framework, TaskID: t.key.task, State: s.State, Reason: s.Reason}})
	case len(t.queue) == 1:
		t.backoff = 0
		l.forward(t)
	case t.phase == ended && t.resendAt.After(l.now.Add(time.Second)):
		// The end waits behind an update that the framework is slow to acknowledge;
		// that one is soon sent again, with the end as its latest state, so that the
		// resources do not wait too.
		t.resendAt = l.now.Add(time.Second)
	}
}

// describe fills in what the agent knows better than the executor.
func (l *Ledger) describe(t *task, s *sdk.TaskStatus, p *sdk.Process) {
	if t.refused || s.ContainerStatus != nil {
		return
	}
	c := &sdk.ContainerStatus{NetworkInfos: []sdk.NetworkInfo{{IPAddresses: []sdk.IPAddress{{Protocol: sdk.ProtocolIPv4, IPAddress: l.o.IP}}}}}
	switch {
	case t.container != "":
		c.ContainerID = &sdk.ContainerID{Value: t.container}
		if p == nil {
			p = t.process
		}
	default:
		c.ContainerID = &sdk.ContainerID{Value: t.executor.container}
		p = t.executor.process
	}
	if p != nil {
		c.ExecutorPID = uint32(p.PID)
	}
	s.ContainerStatus = c
}

// end makes a task terminal: its container is emptied first.
func (l *Ledger) end(t *task, s sdk.TaskStatus) {
	if t.phase >= ending {
		return
	}
	s.TaskID = t.key.task
	if s.Source == "" {
		s.Source = sdk.SourceAgent
	}
	t.phase, t.final, t.spec = ending, &s, nil
	if t.container != "" {
		l.do(Destroy{ContainerID: t.container})
	}
	if t.container == "" || plantEndEarly {
		l.finish(t, t.limit)
	}
	if t.group != "" {
		l.endGroup(t)
	}
}

// endGroup ends those of a group that its executor does not know of yet; those
// that it knows are its own to end.
func (l *Ledger) endGroup(t *task) {
	for _, o := range sorted(t.executor.tasks) {
		if o.group == t.group && o.phase < sent {
			l.end(o, sdk.TaskStatus{State: sdk.TaskKilled, Reason: sdk.ReasonTaskKilledDuringLaunch,
				Message: "A task of the same group ended before the group was started"})
		}
	}
}

// finish puts the end of an emptied task into the books.
func (l *Ledger) finish(t *task, limit *Limit) {
	s := *t.final
	if limit == nil {
		limit = t.limit
	}
	if limit != nil && (s.State == sdk.TaskFailed || s.State == sdk.TaskKilled && t.kill == nil) {
		s.State, s.Reason = sdk.TaskFailed, limit.Reason
		if s.Message != "" {
			s.Message = limit.Message + ": " + s.Message
		} else {
			s.Message = limit.Message
		}
		if len(limit.Resources) > 0 {
			s.Limitation = &sdk.TaskResourceLimitation{Resources: limit.Resources}
		}
	}
	x, answer := t.executor, t.answer
	l.update(t, s, nil)
	if !x.def {
		l.resize(x)
	}
	if x.conn != 0 {
		for _, uuid := range answer {
			l.ack(x.conn, t.key.task, uuid)
		}
	}
}

// ack tells an executor that its update is stored.
func (l *Ledger) ack(conn uint64, id sdk.TaskID, uuid []byte) {
	l.do(SendExecutor{Conn: conn, Event: &sdk.ExecutorEvent{Type: sdk.ExecutorEventAcknowledged, Acknowledged: &sdk.Acknowledged{TaskID: id, UUID: uuid}}})
}

// killTask obeys a KILL, before the start too.
func (l *Ledger) killTask(k *link.Kill) {
	t := l.tasks[taskKey{k.FrameworkID, k.TaskID}]
	if t == nil || t.phase == ended {
		l.reconcile(&link.Reconcile{FrameworkID: k.FrameworkID, TaskID: k.TaskID})
		return
	}
	l.askKill(t, k)
}

// askKill has a task ended: by its executor when that knows of it, else here. k is nil
// when it is this agent's own decision.
func (l *Ledger) askKill(t *task, k *link.Kill) {
	if t.phase >= ending {
		return
	}
	r := &KillRecord{FrameworkID: t.key.framework, TaskID: t.key.task}
	if k != nil {
		r.KillPolicy, r.Reason = l.policyOf(t, k), k.Reason
	}
	l.commit(Record{Kill: r})
	if t.phase < sent && !t.restored {
		l.end(t, sdk.TaskStatus{State: sdk.TaskKilled, Reason: sdk.ReasonTaskKilledDuringLaunch, Message: "Killed before its executor was told to start it"})
		return
	}
	l.armKill(t)
	if t.executor.conn != 0 {
		l.sendKill(t)
	}
}

// policyOf is the kill policy that a KILL comes to: its own, or the one that was said
// before, within the bound that it sets.
func (l *Ledger) policyOf(t *task, k *link.Kill) *sdk.KillPolicy {
	policy := k.KillPolicy
	if policy == nil && k.Reason != "" && t.kill != nil {
		policy = t.kill.KillPolicy
	}
	if k.MaxGrace != nil && l.graceOf(t, policy) > time.Duration(k.MaxGrace.Nanoseconds) {
		return &sdk.KillPolicy{GracePeriod: k.MaxGrace}
	}
	return policy
}

// graceOf is how long a task has from SIGTERM to SIGKILL; policy may be nil.
func (l *Ledger) graceOf(t *task, policy *sdk.KillPolicy) time.Duration {
	for _, p := range []*sdk.KillPolicy{policy, t.info.KillPolicy} {
		if p != nil && p.GracePeriod != nil {
			return time.Duration(p.GracePeriod.Nanoseconds)
		}
	}
	return l.o.KillGrace
}

// armKill sets the moment at which the agent itself ends a task that was killed.
func (l *Ledger) armKill(t *task) {
	grace := l.graceOf(t, t.kill.KillPolicy)
	if at := l.now.Add(max(grace, 0) + l.o.KillMargin); t.forceAt.IsZero() || at.Before(t.forceAt) {
		t.forceAt = at
	}
	l.killing[t] = struct{}{}
}

func (l *Ledger) sendKill(t *task) {
	l.do(SendExecutor{Conn: t.executor.conn, Event: &sdk.ExecutorEvent{Type: sdk.ExecutorEventKill,
		Kill: &sdk.ExecutorKill{TaskID: t.key.task, KillPolicy: t.kill.KillPolicy}}})
}

func (l *Ledger) prepared(in Prepared) {
	t := l.taskAt[in.ContainerID]
	if t == nil || t.phase != staged {
		return // killed meanwhile: its Destroy is under way
	}
	t.phase, t.spec, t.note = prepared, in.Spec, in.Note
	if t.executor.conn != 0 {
		l.deliverTask(t)
	}
}

func (l *Ledger) prepareFailed(in PrepareFailed) {
	t := l.taskAt[in.ContainerID]
	if t == nil || t.phase != staged {
		return
	}
	state := in.State
	if state == "" {
		state = sdk.TaskFailed
	}
	l.end(t, sdk.TaskStatus{State: state, Reason: in.Reason, Message: in.Message})
}

func (l *Ledger) emptied(in Emptied) {
	if t := l.taskAt[in.ContainerID]; t != nil {
		if t.phase == ending {
			t.know(in.Exit)
			l.finish(t, in.Limit)
		}
	} else if x := l.executorAt[in.ContainerID]; x != nil && x.phase == leaving {
		l.executorEmptied(x, in.Limit)
	}
}

func (l *Ledger) limitReached(in LimitReached) {
	if t := l.taskAt[in.ContainerID]; t != nil && t.phase < ending {
		t.limit = &in.Limit
		l.end(t, sdk.TaskStatus{State: sdk.TaskFailed})
	} else if x := l.executorAt[in.ContainerID]; x != nil && x.phase != leaving {
		for t := range x.tasks {
			t.limit = &in.Limit
		}
		l.leave(x, ExecutorExited{ContainerID: x.container, Status: -1, Reason: in.Limit.Reason, Message: in.Limit.Message})
	}
}

func (l *Ledger) vanished(in Vanished) {
	if t := l.taskAt[in.ContainerID]; t != nil && t.phase < ending && t.goneAt.IsZero() && !plantForgetVanished {
		t.goneAt = l.now
		l.killing[t] = struct{}{}
	}
}

// know settles an end whose wait status its executor could not collect, with what
// the agent itself saw.
func (t *task) know(exit *int32) {
	s := t.final
	unknown := s.WaitStatus == nil && s.Reason == sdk.ReasonExecutorTerminated && t.process != nil
	if exit == nil || !unknown || s.State != sdk.TaskFailed && s.State != sdk.TaskLost && s.State != sdk.TaskGone {
		return
	}
	s.WaitStatus, s.Reason = exit, ""
	s.State, s.Message = describeExit(*exit)
	if t.kill != nil {
		s.State = sdk.TaskKilled
	}
}

// describeExit is the state and the sentence, as Mesos words it, of a wait status.
func describeExit(status int32) (sdk.TaskState, string) {
	if sig := status & 0x7f; sig != 0 {
		return sdk.TaskFailed, fmt.Sprintf("Command terminated with signal %d", sig)
	}
	code := status >> 8 & 0xff
	if code == 0 {
		return sdk.TaskFinished, "Command exited with status 0"
	}
	return sdk.TaskFailed, fmt.Sprintf("Command exited with status %d", code)
}

// known says whether an update was taken before.
func (t *task) known(uuid []byte) bool {
	for _, s := range t.seen {
		if bytes.Equal(s, uuid) {
			return true
		}
	}
	return false
}
