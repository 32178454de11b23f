package master

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// keeping is what a leader does for the store beside consensus, for one term: it
// counts the leases down, tells watchers what has changed, and remembers which
// tokens' tasks live. When it ends, so do all watches.
type keeping struct {
	log     *slog.Logger
	metrics *metrics
	propose func(context.Context, store.Command) (store.Result, error)
	wake    chan struct{} // one waiting signal at most
	began   time.Time
	looked  time.Time // when the loop asked for the tasks of leases last; run's alone
	look    time.Time // when run is to look again; zero before it has looked; run's alone

	mu       sync.Mutex // the state machine's lock may be held around it, never inside
	keeper   *store.Keeper
	revision uint64          // of the last command seen
	ends     []store.Command // of leases, to be proposed
	watches  map[store.Space]map[*watch]struct{}
	tokened  map[taskKey]map[*watch]struct{} // those of them that end with a task
	count    int                             // of watches
	lives    map[taskKey]time.Time
	ended    bool
}

type taskKey struct {
	framework sdk.FrameworkID
	task      sdk.TaskID
}

func keyOf(c *credential.Claims) taskKey { return taskKey{c.FrameworkID, c.TaskID} }

// watch is one open WATCH.
type watch struct {
	*stream
	space  store.Space
	prefix string
}

const (
	// livesFor is how long a token is taken without asking whether its task lives;
	// the end of the task is told at once.
	livesFor = time.Second
	// boundEvery is how often the loop is asked for tasks that ended unseen, which is
	// before this leader was elected: soon after that the agents come back and tell of
	// them. Later it is but a net, every boundRest.
	boundEvery = 500 * time.Millisecond
	boundFor   = time.Minute
	boundRest  = 10 * time.Second
	// lookEvery is how often it is looked at leases at least, so that it is noticed when
	// this process stands still: what is stoodStill late. Calls may wait to be read then.
	lookEvery  = 500 * time.Millisecond
	stoodStill = time.Second
	// endAgain is the pause after an end of a lease that could not be proposed.
	endAgain = 100 * time.Millisecond
	// endsAtOnce bounds how many ends of leases are proposed at the same time.
	endsAtOnce = 64
)

func newKeeping(now time.Time, s *store.State, log *slog.Logger, m *metrics, propose func(context.Context, store.Command) (store.Result, error)) *keeping {
	return &keeping{
		log: log, metrics: m, propose: propose, wake: make(chan struct{}, 1), began: now,
		keeper: store.NewKeeper(now, s.Leases()), revision: s.Index(),
		watches: map[store.Space]map[*watch]struct{}{}, tokened: map[taskKey]map[*watch]struct{}{}, lives: map[taskKey]time.Time{},
	}
}

func (k *keeping) signal() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// applied takes note of a command's result. It is called in the order of the log,
// under the lock of the state machine.
func (k *keeping) applied(r store.Result) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.Granted != nil {
		k.keeper.Granted(time.Now(), *r.Granted)
		k.signal()
	}
	if r.Ended != nil {
		k.keeper.Ended(r.Ended.Space, r.Ended.ID)
	}
	if len(r.Changes.List) > 0 {
		for w := range k.watches[r.Changes.Space] {
			w.tell(r.Changes)
		}
	}
	k.revision = r.Index
}

// tell puts what concerns the watch before its reader.
func (w *watch) tell(c store.Changes) {
	if c = c.Below(w.prefix); len(c.List) > 0 {
		w.put(store.EventOf(c)) // one that is too slow ends, and reads the history later
		w.flush()
	}
}

// keepAlive gives a lease its time again.
func (k *keeping) keepAlive(space store.Space, id string) (store.Lease, uint64, *sdk.Error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended {
		return store.Lease{}, 0, notLeading()
	}
	l, err := k.keeper.KeepAlive(time.Now(), space, id)
	return l, k.revision, err
}

// boundTo tells whether a lease goes on that was granted to the token of that very task.
func (k *keeping) boundTo(c *credential.Claims, space store.Space, id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	l, ok := k.keeper.Lease(space, id)
	return ok && l.FrameworkID == c.FrameworkID && l.TaskID == c.TaskID
}

// taskEnded ends the leases and watches of a task. Only the leader's loop calls it.
func (k *keeping) taskEnded(framework sdk.FrameworkID, task sdk.TaskID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.lives, taskKey{framework, task})
	if cmds := k.keeper.TaskEnded(framework, task); len(cmds) > 0 {
		k.ends = append(k.ends, cmds...)
		k.signal()
	}
	for w := range k.tokened[taskKey{framework, task}] {
		w.end("the task of its token has ended")
	}
}

// taskLives remembers that the task of a token lives. Only the leader's loop calls it.
func (k *keeping) taskLives(c *credential.Claims) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lives[keyOf(c)] = time.Now()
}

// livesNow tells whether the task of a token was alive a moment ago.
func (k *keeping) livesNow(c *credential.Claims) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	at, ok := k.lives[keyOf(c)]
	return ok && time.Since(at) < livesFor
}

// run proposes the ends of leases until ctx ends, and asks bound what became of
// the tasks that leases are bound to.
func (k *keeping) run(ctx context.Context, bound func([]store.Lease)) {
	var proposing sync.WaitGroup
	defer proposing.Wait()
	room := make(chan struct{}, endsAtOnce)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-k.wake:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		ends, leases, due := k.due(time.Now())
		for _, cmd := range ends {
			proposing.Go(func() { // this loop never waits: it tells whether the process stands still
				select {
				case room <- struct{}{}:
					defer func() { <-room }()
					k.endLease(ctx, cmd)
				case <-ctx.Done():
				}
			})
		}
		if len(leases) > 0 {
			bound(leases)
		}
		timer.Reset(due)
	}
}

// due is what has to be done now, and in how much time to look again.
func (k *keeping) due(now time.Time) (ends []store.Command, bound []store.Lease, again time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if lag := now.Sub(k.look); lag > stoodStill && !k.look.IsZero() {
		k.log.Warn("this master stood still; the leases get that time again", "for", lag.String())
		k.keeper.Pardon(now, lag)
	}
	ends = append(k.ends, k.keeper.Expired(now)...)
	k.ends = nil
	again = time.Hour
	if !k.keeper.Empty() {
		again = lookEvery
	}
	if at, ok := k.keeper.Due(); ok {
		again = max(min(again, at.Sub(now)), time.Millisecond)
	}
	every := boundRest
	if now.Sub(k.began) < boundFor {
		every = boundEvery
	}
	if now.Sub(k.looked) >= every {
		bound, k.looked = k.keeper.Bound(), now
	}
	for key, at := range k.lives {
		if now.Sub(at) >= livesFor {
			delete(k.lives, key)
		}
	}
	k.look = now.Add(again)
	return ends, bound, again
}

// endLease proposes the end of a lease until it is decided, or the term ends; a
// lease that has ended already is refused, which does no harm.
func (k *keeping) endLease(ctx context.Context, cmd store.Command) {
	for ctx.Err() == nil {
		r, err := k.propose(ctx, cmd)
		if err == nil {
			if r.Err == nil {
				k.log.Info("a lease of the store ended", "principal", cmd.Space.Principal, "space", cmd.Space.Name, "lease", cmd.Revoke.Lease, "why", cmd.Revoke.Cause, "keys", len(r.Changes.List))
			}
			return
		}
		select {
		case <-time.After(endAgain):
		case <-ctx.Done():
		}
	}
}
