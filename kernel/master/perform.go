package master

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// maxWatchers is how many operators may watch at once; the oldest makes room.
const maxWatchers = 1000

// step steps the mind and performs what follows. Performing a Close may lead to
// another step, but only later, through the inbox: the slice stays valid.
func (l *leader) step(now time.Time, in cluster.Input) {
	for _, e := range l.mind.Step(now, in) {
		l.perform(e)
	}
	if l.moved && len(l.trusted) > 0 {
		l.settleTrusted()
	}
}

func (l *leader) perform(e cluster.Effect) {
	switch e := e.(type) {
	case cluster.ToScheduler:
		l.send(e.Session, e.Event)
	case cluster.ToAgent:
		if s := l.streams[e.Session]; s != nil && e.Event.Type == link.EventRegistered && e.Event.Registered != nil {
			s.agent = e.Event.Registered.AgentID
		}
		l.send(e.Session, e.Event)
	case cluster.CloseScheduler:
		l.close(e.Session)
	case cluster.CloseAgent:
		l.close(e.Session)
	case cluster.Propose:
		l.proposals.put(e)
	case cluster.Reply:
		if it, ok := l.requests[e.Request]; ok {
			delete(l.requests, e.Request)
			it.asks.answer(it.at, e.Err, e.Done)
		}
	case cluster.Operator:
		l.tell(e.Event)
	case cluster.Log:
		l.log.Log(context.Background(), slog.Level(e.Level), e.Message, e.KV...)
	case cluster.Resign:
		l.resigned = e.Reason
	}
}

func (l *leader) send(session cluster.Session, event any) {
	s := l.streams[session]
	if s == nil {
		return
	}
	l.metrics.events.WithLabelValues(string(s.kind)).Inc()
	if !s.put(event) {
		l.log.Warn("stream dropped: its reader is too slow", "kind", s.kind, "session", session, "agent", s.agent)
		l.metrics.dropped.Inc()
	}
	l.dirty = append(l.dirty, s)
}

// close ends a stream after what is queued; the connection tells when it is over.
func (l *leader) close(session cluster.Session) {
	if s := l.streams[session]; s != nil {
		s.end("")
	}
}

// flush wakes the writers of the streams that got something: once per drained
// inbox, so that what belongs together travels together.
func (l *leader) flush() {
	for _, s := range l.dirty {
		s.flush()
	}
	clear(l.dirty)
	l.dirty = l.dirty[:0]
}

// tell folds an event into what readers see and passes it to watching operators.
func (l *leader) tell(e *sdk.OperatorEvent) {
	l.view.apply(e)
	l.doors.apply(e)
	for _, s := range l.watchers {
		l.send(s.session, e)
	}
	if u := e.TaskUpdated; u != nil && final(u.State) {
		l.taskEnded(u.FrameworkID, u.Status.TaskID)
	}
	l.moved = l.moved || e.AgentAdded != nil || e.AgentUpdated != nil || e.AgentRemoved != nil
}

// final tells whether no process of a task in that state is left.
func final(s sdk.TaskState) bool {
	switch s {
	case sdk.TaskFinished, sdk.TaskFailed, sdk.TaskKilled, sdk.TaskError, sdk.TaskGone, sdk.TaskGoneByOperator, sdk.TaskDropped:
		return true
	}
	return false
}

// watch begins an operator's stream with the whole state.
func (l *leader) watch(it *item) {
	s := it.opens
	if len(l.watchers) >= maxWatchers {
		l.close(l.watchers[0].session)
		l.watchers = slices.Delete(l.watchers, 0, 1)
	}
	l.watchers = append(l.watchers, s)
	l.send(s.session, &sdk.OperatorEvent{Type: sdk.OperatorEventSubscribed, Subscribed: &sdk.OperatorSubscribed{
		GetState: l.view.state(), HeartbeatIntervalSeconds: it.beat.Seconds()}})
	l.send(s.session, &sdk.OperatorEvent{Type: sdk.OperatorEventHeartbeat})
	delete(l.requests, it.request)
	it.asks.answer(it.at, nil, true)
}

func (l *leader) unwatch(s *stream) {
	if i := slices.Index(l.watchers, s); i >= 0 {
		l.watchers = slices.Delete(l.watchers, i, i+1)
	}
}
