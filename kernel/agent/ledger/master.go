package ledger

import (
	"bytes"
	"reflect"
	"time"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// fromMaster obeys the newest leader, on the newest stream, and nobody else.
func (l *Ledger) fromMaster(in FromMaster) {
	if in.Stream == 0 || in.Stream != l.stream {
		return // buffered on a stream that was closed: its sender must not act any more
	}
	e := in.Event
	if err := e.Validate(); err != nil {
		l.drop(err.Error())
		return
	}
	switch c := e.Fence().Compare(l.fence); {
	case c < 0 && !plantDropTermCheck:
		l.drop("its leader has " + e.Fence().String() + ", this agent has already obeyed " + l.fence.String())
		return
	case c > 0:
		f := e.Fence()
		if l.fence = f; !plantForgetFence {
			l.commit(Record{Fence: &f})
		}
	}
	if e.Type == link.EventRegistered {
		l.register(e.Registered)
		return
	}
	if !l.registered {
		if e.Type == link.EventShutdown {
			l.shutdown(e.Shutdown)
			return
		}
		l.drop("the first event is " + string(e.Type) + ", not REGISTERED")
		return
	}
	switch e.Type {
	case link.EventRun:
		l.run(e.Run)
	case link.EventKill:
		l.killTask(e.Kill)
	case link.EventAcknowledge:
		l.acknowledge(e.Acknowledge)
	case link.EventMessage:
		l.message(e.Message)
	case link.EventShutdownExecutor:
		if x := l.executor(e.ShutdownExecutor.FrameworkID, e.ShutdownExecutor.ExecutorID); x != nil {
			l.closeExecutor(x)
		}
	case link.EventShutdownFramework:
		l.shutdownFramework(e.ShutdownFramework.FrameworkID)
	case link.EventFramework:
		if f := l.frameworks[e.Framework.Info.ID]; f != nil {
			l.know(&e.Framework.Info)
		}
	case link.EventReconcile:
		l.reconcile(e.Reconcile)
	case link.EventShutdown:
		l.shutdown(e.Shutdown)
	case link.EventNotice:
		l.do(Note{Message: "the leading master says: " + e.Notice.Message, Key: string(l.agent)})
	}
}

// drop closes the stream.
func (l *Ledger) drop(why string) {
	l.do(CloseLink{Stream: l.stream, Reason: why})
	l.stream, l.registered = 0, false
}

func (l *Ledger) register(r *link.Registered) {
	if l.agent != "" && l.agent != r.AgentID {
		l.drop("it registered this agent as " + string(r.AgentID) + ", but it is " + string(l.agent))
		return
	}
	if l.agent == "" {
		l.commit(Record{Agent: &AgentRecord{ID: r.AgentID, BootID: l.boot, Holed: l.holed}})
	}
	l.registered = true
	for _, t := range sorted(l.waiting) {
		t.backoff = 0
		l.forward(t)
	}
}

// know stores a framework's info when it is new.
func (l *Ledger) know(info *sdk.FrameworkInfo) *framework {
	f := l.frameworks[info.ID]
	if f == nil || f.gone || !reflect.DeepEqual(f.info, info) {
		l.commit(Record{Framework: &FrameworkRecord{Info: *info}})
		f = l.frameworks[info.ID]
	}
	return f
}

// acknowledge takes the framework's word that it has an update, and sends the next.
func (l *Ledger) acknowledge(a *link.Acknowledge) {
	t := l.tasks[taskKey{a.FrameworkID, a.TaskID}]
	if t == nil || len(t.queue) == 0 || !bytes.Equal(t.queue[0].UUID, a.UUID) {
		return // acknowledged before; frameworks may say it twice
	}
	l.commit(Record{Ack: &AckRecord{FrameworkID: a.FrameworkID, TaskID: a.TaskID, UUID: a.UUID}})
	if len(t.queue) > 0 {
		t.backoff = 0
		l.forward(t)
	}
}

// forward sends the oldest update of a task that is not acknowledged.
func (l *Ledger) forward(t *task) {
	if t.backoff == 0 {
		t.backoff = l.o.ResendMin
	} else {
		t.backoff = min(2*t.backoff, l.o.ResendMax)
	}
	t.resendAt = l.now.Add(t.backoff)
	if !l.registered {
		return
	}
	u := &link.Update{FrameworkID: t.key.framework, Status: *t.queue[0]}
	if t.last != t.queue[0] {
		u.Latest = t.last.State
	}
	l.send(&link.Call{Type: link.CallUpdate, Update: u})
}

func (l *Ledger) message(m *link.Message) {
	x := l.executor(m.FrameworkID, m.ExecutorID)
	if x == nil || x.conn == 0 {
		l.note(string(m.ExecutorID), "a message for an executor that is not here was dropped")
		return
	}
	l.do(SendExecutor{Conn: x.conn, Event: &sdk.ExecutorEvent{Type: sdk.ExecutorEventMessage, Message: &sdk.MessageToExecutor{Data: m.Data}}})
}

// reconcile gives the definite answer: what it is, what it was, or that it never
// was. The last one binds: only a leader's later RUN could change it.
func (l *Ledger) reconcile(r *link.Reconcile) {
	key := taskKey{r.FrameworkID, r.TaskID}
	s := sdk.TaskStatus{TaskID: r.TaskID, Source: sdk.SourceAgent, Reason: sdk.ReasonReconciliation}
	if t := l.tasks[key]; t != nil {
		s.State = sdk.TaskStaging
		if t.last != nil {
			s = *t.last
			s.Reason, s.Data = sdk.ReasonReconciliation, nil
		}
		s.Message = "Reconciliation: Latest task state"
	} else if state, _, ok := l.tombs.get(key); ok {
		s.State, s.Message = state, "Reconciliation: the task has ended and its end was acknowledged"
	} else if l.holed != 0 && l.now.Sub(time.Unix(0, l.holed)) < l.o.TombstoneAge {
		s.State = sdk.TaskGone // not "never": it may have run
		s.Message = "Reconciliation: this agent does not know the task, and has lost a part of its checkpoint"
	} else {
		s.State, s.Reason = sdk.TaskGone, sdk.ReasonTaskUnknown
		s.Message = "Reconciliation: this agent never had the task"
	}
	l.reconciled(key, s)
}

// reconciled sends a status that nobody acknowledges.
func (l *Ledger) reconciled(key taskKey, s sdk.TaskStatus) {
	s.UUID, s.AgentID, s.Timestamp = nil, l.agent, l.seconds()
	l.send(&link.Call{Type: link.CallReconciled, Reconciled: &link.Reconciled{FrameworkID: key.framework, Status: s}})
}

// shutdownFramework ends all that a framework has here, without acknowledgements.
func (l *Ledger) shutdownFramework(id sdk.FrameworkID) {
	f := l.frameworks[id]
	if f == nil {
		return
	}
	if !f.gone {
		l.commit(Record{Gone: &FrameworkGone{ID: id}})
	}
	for _, t := range l.sortedTasks() {
		if t.fw == f && t.phase == ended {
			l.commit(Record{Done: &DoneRecord{FrameworkID: id, TaskID: t.key.task, State: t.last.State, Reason: t.last.Reason}})
		}
	}
	l.endFramework(f)
}

// endFramework asks everything of a framework to end.
func (l *Ledger) endFramework(f *framework) {
	for _, t := range l.sortedTasks() {
		if t.fw == f && t.phase < ending {
			l.askKill(t, nil)
		}
	}
	for i := len(f.executors) - 1; i >= 0; i-- {
		l.closeExecutor(f.executors[i])
	}
}

// shutdown ends everything: this agent is not wanted.
func (l *Ledger) shutdown(s *link.Shutdown) {
	l.retired = true
	l.do(Retire{Message: s.Message})
	l.stopAll()
}

func (l *Ledger) stopAll() {
	l.stopping = true
	for _, f := range l.sortedFrameworks() {
		l.endFramework(f)
	}
}

func (l *Ledger) totals(in Totals) {
	changed := !l.total.Equal(in.Resources) || !reflect.DeepEqual(l.attributes, in.Attributes)
	l.total, l.attributes, l.overhead = in.Resources.Normalize(), in.Attributes, in.Overhead
	if changed {
		l.send(&link.Call{Type: link.CallResources, Resources: &link.Resources{Resources: l.total, Attributes: l.attributes}})
	}
}
