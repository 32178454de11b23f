package master

import (
	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// Only what is known to have ended loses its token and its leases. A new leader hears of
// tasks from their agents, and one that is silent says nothing of the framework that runs
// there: while its agent is awaited or unreachable it may do what its token and its guards
// allow, and keeps its leases alive itself. When the agent is back without the task, or an
// operator has given it up, its streams and leases end at once. A lease that nobody keeps
// alive ends in its time, whatever is known.

// admit refuses the token of a task that has ended, which only the loop can know.
func (l *leader) admit(it *item) *sdk.Error {
	t := it.token
	if t == nil {
		return nil
	}
	switch l.mind.LifeOf(t.FrameworkID, t.TaskID, t.AgentID) {
	case cluster.Ended:
		return sdk.Errorf(sdk.CodeUnauthenticated, "", "the token was for the task %s, which has ended", t.TaskID)
	case cluster.Strange:
		return sdk.Errorf(sdk.CodeUnavailable, "", "the token was made on the agent %s, which this cluster does not know, or not yet; try again", t.AgentID)
	case cluster.Awaited:
		l.trusted[keyOf(t)] = t.AgentID
	}
	return nil
}

// settleTrusted looks again at the tasks that were trusted, after something has become
// known of agents.
func (l *leader) settleTrusted() {
	l.moved = false
	for key, on := range l.trusted {
		switch l.mind.LifeOf(key.framework, key.task, on) {
		case cluster.Lives:
			delete(l.trusted, key)
		case cluster.Ended:
			delete(l.trusted, key)
			l.log.Info("the task of a token has ended unseen", "framework", key.framework, "task", key.task, "agent", on)
			l.taskEnded(key.framework, key.task)
		}
	}
}

// taskEnded ends what was granted to the token of a task, or opened with it.
func (l *leader) taskEnded(framework sdk.FrameworkID, task sdk.TaskID) {
	for s := range l.tokened {
		if s.token.TaskID == task && s.token.FrameworkID == framework {
			s.end("the task of its token has ended")
		}
	}
	l.keep.taskEnded(framework, task)
}

// endBound ends the leases whose tasks ended without this leader's seeing it.
func (l *leader) endBound(leases []store.Lease) {
	for _, b := range leases {
		if l.mind.LifeOf(b.FrameworkID, b.TaskID, b.AgentID) == cluster.Ended {
			l.keep.taskEnded(b.FrameworkID, b.TaskID)
		}
	}
}
