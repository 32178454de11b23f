package master

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/profferhq/proffer/kernel/boot"
	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/consensus"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// leader is this master while it leads, for one term. All fields but the
// mailboxes and the readers' view belong to the loop.
type leader struct {
	term    consensus.Term
	log     *slog.Logger
	metrics *metrics
	info    sdk.MasterInfo
	elected time.Time
	offset  time.Duration // of the mind's clock
	propose func(context.Context, []registry.Command) ([]registry.Result, error)

	restorable func(*consensus.Backup) error

	keep      *keeping
	inbox     *mailbox[item]
	proposals *mailbox[cluster.Propose]
	view      *readers
	doors     *doors
	init      *boot.Init // beside the loop

	mind     *cluster.Cluster
	requests map[uint64]item
	streams  map[cluster.Session]*stream
	tokened  map[*stream]bool        // opened with the token of a task
	trusted  map[taskKey]sdk.AgentID // tasks whose tokens were taken although they are not known to live
	moved    bool                    // what is known of an agent has changed since they were looked at
	watchers []*stream               // operators' streams, oldest first
	dirty    []*stream               // got something since the last flush
	resigned string                  // why the mind ended
	restores *restoring              // what is to be done when it has
}

func newLeader(t consensus.Term, mind *cluster.Cluster, log *slog.Logger, mt *metrics) *leader {
	return &leader{
		term: t, mind: mind, metrics: mt,
		log:       log.With("term", t.Number),
		elected:   time.Now(),
		inbox:     newMailbox[item](),
		proposals: newMailbox[cluster.Propose](),
		view:      newReaders(),
		doors:     newDoors(),
		requests:  map[uint64]item{},
		streams:   map[cluster.Session]*stream{},
		tokened:   map[*stream]bool{},
		trusted:   map[taskKey]sdk.AgentID{},
	}
}

// run receives, steps and performs until the term is lost, the mind resigns or
// ctx ends; then every request and stream of this leader ends. It tells why.
func (l *leader) run(ctx context.Context) string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	proposing := make(chan struct{})
	go func() {
		defer close(proposing)
		l.proposer(ctx)
	}()
	keeping := make(chan struct{})
	go func() {
		defer close(keeping)
		l.keep.run(ctx, func(bound []store.Lease) { l.inbox.put(item{bound: bound}) })
	}()
	why := l.loop(ctx)
	cancel()
	l.end(why)
	<-proposing
	<-keeping
	return why
}

// now is the time that the mind goes by.
func (l *leader) now() time.Time { return time.Now().Add(l.offset) }

// minTick bounds how often the mind is woken for the time alone.
const minTick = 250 * time.Microsecond

func (l *leader) loop(ctx context.Context) string {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var batch []item
	var lastTick time.Time
	for {
		batch = l.inbox.take(batch)
		for i := range batch {
			l.receive(&batch[i])
		}
		l.metrics.inputs.Add(float64(len(batch)))
		now := l.now()
		due, waits := l.mind.Due()
		// Without inputs between two ticks nothing is so urgent that it could not wait.
		paced := len(batch) > 0 || now.Sub(lastTick) >= minTick
		ticked := waits && !due.After(now) && paced && l.resigned == ""
		if ticked {
			l.step(now, cluster.Tick{})
			lastTick = now
		}
		l.flush()
		switch {
		case l.resigned != "":
			return l.resigned
		case ctx.Err() != nil:
			return "this master is stopping"
		}
		if len(batch) > 0 || ticked {
			select {
			case <-l.term.Lost:
				return "the leadership was lost"
			default:
				continue
			}
		}
		next := time.Hour
		if waits {
			next = max(due.Sub(l.now()), minTick)
		}
		timer.Reset(next)
		select {
		case <-l.inbox.wake:
		case <-timer.C:
		case <-l.term.Lost:
			return "the leadership was lost"
		case <-ctx.Done():
		}
	}
}

// receive steps one item, after what the shell itself knows about it.
func (l *leader) receive(it *item) {
	if l.resigned != "" {
		l.refuse(it, notLeading())
		return
	}
	if err := l.admit(it); err != nil {
		l.refuse(it, err)
		return
	}
	switch {
	case it.restores != nil:
		if err := l.restorable(it.restores.backup); err != nil { // before the leadership ends for it
			l.refuse(it, asError(err))
			return
		}
		l.resigned, l.restores = "a snapshot is restored", it.restores
		return
	case it.lives:
		l.keep.taskLives(it.token)
		it.asks.answer(it.at, nil, true)
		return
	case it.bound != nil:
		l.endBound(it.bound)
		return
	case it.asks != nil:
		l.requests[it.request] = *it
	}
	if s := it.opens; s != nil {
		l.streams[s.session] = s
		if s.token.TaskID != "" {
			l.tokened[s] = true
		}
		l.metrics.streams.WithLabelValues(string(s.kind)).Inc()
	}
	switch {
	case it.shuts != "":
		l.forget(it.shuts)
	case it.opens != nil && it.in == nil:
		l.watch(it)
	case it.in == nil: // whether the task of its token lives was all that it asked
		delete(l.requests, it.request)
		it.asks.answer(it.at, nil, true)
	default:
		l.step(l.now(), it.in)
	}
}

func (l *leader) refuse(it *item, err *sdk.Error) {
	if it.asks != nil {
		it.asks.answer(it.at, err, false)
	}
}

// forget takes a stream out that ended, and tells the mind.
func (l *leader) forget(session cluster.Session) {
	s := l.streams[session]
	if s == nil {
		return
	}
	delete(l.streams, session)
	delete(l.tokened, s)
	l.metrics.streams.WithLabelValues(string(s.kind)).Dec()
	switch s.kind {
	case schedulerStream:
		l.step(l.now(), cluster.SchedulerClosed{Session: session})
	case agentStream:
		l.step(l.now(), cluster.AgentClosed{Session: session})
	case operatorStream:
		l.unwatch(s)
	}
}

// end answers every request and ends every stream of this leader.
func (l *leader) end(why string) {
	for _, it := range l.inbox.close() {
		l.refuse(&it, notLeading())
	}
	l.proposals.close()
	for _, it := range l.requests {
		l.refuse(&it, notLeading())
	}
	clear(l.requests)
	for _, s := range l.streams {
		s.end("")
		l.metrics.streams.WithLabelValues(string(s.kind)).Dec()
	}
	clear(l.streams)
	l.keep.end()
	l.log.Info("this master leads no longer", "why", why)
}

// proposer carries proposals to consensus in their order; those that wait
// together share a batch. After a failure nothing more is proposed.
func (l *leader) proposer(ctx context.Context) {
	for {
		batch := l.proposals.take(nil)
		if len(batch) == 0 {
			select {
			case <-l.proposals.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		cmds := make([]registry.Command, len(batch))
		for i, p := range batch {
			cmds[i] = p.Command
		}
		results, err := l.propose(ctx, cmds)
		l.metrics.proposals.Add(float64(len(batch)))
		if ctx.Err() != nil {
			return // the loop has ended, and with it the mind
		}
		if err != nil {
			l.inbox.put(item{in: cluster.Failed{ID: batch[0].ID, Err: fmt.Errorf("%d proposal(s): %w", len(batch), err)}})
			return
		}
		for i, p := range batch {
			l.inbox.put(item{in: cluster.Committed{ID: p.ID, Result: results[i]}})
		}
	}
}
