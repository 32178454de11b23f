package mind

import (
	"maps"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Session keeps, for one subscription after another, of which tasks the kernel has told,
// and asks for the others: a launch that never arrived is told of only to who asks by
// name. Set its times before its first use.
type Session struct {
	// AskAgain is after how long a task that nobody tells of is asked for again.
	AskAgain time.Duration
	// Refresh is after how long all are asked for, as a net.
	Refresh time.Duration
	// KillRetry is after how long the KILL of an orphan is said again.
	KillRetry time.Duration
	// Strays has the kernel asked, at a refresh, for tasks that there is no record of.
	Strays bool
	// Orphans are ended once the kernel has told of all others.
	Orphans Orphans

	up        bool
	tasks     map[sdk.TaskID]*Watched
	open      int       // of them the kernel has not told
	asked     time.Time // when some were last asked for
	refreshed time.Time // when all were
}

// Watched is a task that was launched; a framework's record of it may hold it.
type Watched struct {
	task  sdk.TaskID
	agent sdk.AgentID
	told  bool
}

// Told tells whether the kernel has told of the task in this subscription.
func (w *Watched) Told() bool { return w.told }

// Up tells whether there is a subscription.
func (s *Session) Up() bool { return s.up }

// Accounted tells whether there is a subscription and the kernel has told of all tasks.
func (s *Session) Accounted() bool { return s.up && s.open == 0 }

// Begin begins a subscription: what was known of tasks may have changed meanwhile, so all
// are asked for.
func (s *Session) Begin(now time.Time) []Effect {
	s.up, s.refreshed, s.open = true, now, len(s.tasks)
	for _, w := range s.tasks {
		w.told = false
	}
	s.Orphans.Subscribed()
	return s.ask(now, func(*Watched) bool { return true })
}

// End ends it.
func (s *Session) End() { s.up = false }

// Watch begins to watch a task. told: it is launched just now, or was told of; otherwise it
// is asked for.
func (s *Session) Watch(w *Watched, task sdk.TaskID, agent sdk.AgentID, told bool) {
	if s.tasks == nil {
		s.tasks = map[sdk.TaskID]*Watched{}
	}
	*w = Watched{task: task, agent: agent, told: true}
	s.tasks[task] = w
	s.Tell(w, told)
}

// Tell notes whether the kernel has told of the task in this subscription.
func (s *Session) Tell(w *Watched, told bool) {
	if s.tasks[w.task] == w && w.told != told {
		if told {
			s.open--
		} else {
			s.open++
		}
	}
	w.told = told
}

// Drop ends the watch of a task, which has ended.
func (s *Session) Drop(w *Watched) {
	if s.tasks[w.task] == w {
		s.Tell(w, true)
		delete(s.tasks, w.task)
	}
}

// Doubt has tasks asked for whose launch may not have arrived.
func (s *Session) Doubt(now time.Time, tasks []*Watched) []Effect {
	doubtful := map[*Watched]bool{}
	for _, w := range tasks {
		s.Tell(w, false)
		doubtful[w] = true
	}
	if !s.up || len(tasks) == 0 {
		return nil
	}
	return s.ask(now, func(w *Watched) bool { return doubtful[w] })
}

// AgentFailed has the tasks of an agent asked for: of those that the leading master does not
// know it tells nothing.
func (s *Session) AgentFailed(now time.Time, agent sdk.AgentID) []Effect {
	if !s.up {
		return nil
	}
	return s.ask(now, func(w *Watched) bool { return w.agent == agent })
}

// Again asks again for the tasks of which nobody tells, and from time to time for all.
func (s *Session) Again(now time.Time) []Effect {
	next := s.nextAsk()
	if next.IsZero() || now.Before(next) {
		return nil
	}
	if s.open > 0 {
		return s.ask(now, func(w *Watched) bool { return !w.told })
	}
	s.refreshed = now
	var strays []Effect
	if s.Strays {
		strays = []Effect{Reconcile{}}
	}
	return append(strays, s.ask(now, func(*Watched) bool { return true })...)
}

// Reap gives the kills of orphans that are due.
func (s *Session) Reap(now time.Time) []Kill {
	if !s.Accounted() {
		return nil
	}
	return s.Orphans.Reap(now, s.KillRetry)
}

// Due is when Again or Reap has something to do; zero: never.
func (s *Session) Due() time.Time {
	due := s.nextAsk()
	if s.Accounted() {
		if at := s.Orphans.Due(s.KillRetry); due.IsZero() || !at.IsZero() && at.Before(due) {
			due = at
		}
	}
	return due
}

func (s *Session) nextAsk() time.Time {
	switch {
	case !s.up:
		return time.Time{}
	case s.open > 0:
		return s.asked.Add(s.AskAgain)
	case len(s.tasks) == 0 && !s.Strays:
		return time.Time{}
	}
	return s.refreshed.Add(s.Refresh)
}

// askBatch is how many tasks one RECONCILE names.
const askBatch = 1000

// ask reconciles those tasks that which chooses, by id.
func (s *Session) ask(now time.Time, which func(*Watched) bool) []Effect {
	var tasks []sdk.ReconcileTask
	for _, id := range slices.Sorted(maps.Keys(s.tasks)) {
		if w := s.tasks[id]; which(w) {
			tasks = append(tasks, sdk.ReconcileTask{TaskID: id, AgentID: w.agent})
		}
	}
	s.asked = now
	var effects []Effect
	for batch := range slices.Chunk(tasks, askBatch) {
		effects = append(effects, Reconcile{Tasks: batch})
	}
	return effects
}
