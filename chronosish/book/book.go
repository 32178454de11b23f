package book

import (
	"time"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/chronosish/schedule"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// Options are the times and bounds of a Book; zero values mean the defaults.
type Options struct {
	// Parse reads the schedule of a job that has one (package schedule).
	Parse func(*job.Job) (due.Schedule, error)
	// KillRetry is after how long a KILL that brought about nothing is said again.
	KillRetry time.Duration
	// AskAgain is after how long an attempt that nobody tells of is asked for again.
	AskAgain time.Duration
	// Refresh is after how long all attempts are asked for, as a net.
	Refresh time.Duration
	// Refuse is for how long the same resources of an agent are not wanted again. A
	// revive ends it.
	Refuse time.Duration
	// FullPause is how long nothing is stored after the store was full.
	FullPause time.Duration
	// MaxTxn is the size of a transaction in bytes that is not exceeded by gathering,
	// MaxWrites the number of writes.
	MaxTxn, MaxWrites int
	// MaxLaunches is how many attempts are launched on one offer, because their records
	// are one transaction. It begins with fewer, see launchesFirst.
	MaxLaunches int
	// MaxWaiting runs of one job wait; slots beyond are decided when there is room.
	MaxWaiting int
	// SpaceBytes is the room that the masters give to the space. Half of it is for the
	// definitions of jobs, so that they do not stand in the way of what runs.
	SpaceBytes int64
	// HistoryBytes is the room of the history in the store, a quarter of all. Its oldest
	// lines are dropped for it, and sooner when the store is full.
	HistoryBytes int
	// MaxChildren is how many children a job may have: all of them are told of its success
	// in one transaction.
	MaxChildren int
}

// DefaultSpaceBytes is what masters give to a space that are not told otherwise.
const DefaultSpaceBytes = 64 << 20

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		at   *time.Duration
		time time.Duration
	}{
		{&o.KillRetry, 10 * time.Second}, {&o.AskAgain, 5 * time.Second}, {&o.Refresh, 10 * time.Minute},
		{&o.Refuse, 2 * time.Minute}, {&o.FullPause, 5 * time.Second},
	} {
		if *d.at == 0 {
			*d.at = d.time
		}
	}
	for _, d := range []struct {
		at *int
		n  int
	}{
		{&o.MaxTxn, 900 << 10}, {&o.MaxWrites, 4000}, {&o.MaxLaunches, 1000}, {&o.MaxWaiting, 1000},
		{&o.MaxChildren, 1000},
	} {
		if *d.at == 0 {
			*d.at = d.n
		}
	}
	if o.SpaceBytes == 0 {
		o.SpaceBytes = DefaultSpaceBytes
	}
	if o.HistoryBytes == 0 {
		o.HistoryBytes = int(o.SpaceBytes / 4)
	}
	if o.Parse == nil {
		zones := schedule.Zones{} // only this book's goroutine parses
		o.Parse = func(j *job.Job) (due.Schedule, error) { return zones.Parse(j.Schedule, j.Zone, j.Created) }
	}
	return o
}

// Book is the mind of the chronosish that leads.
type Book struct {
	opt     Options
	now     time.Time
	effects []mind.Effect

	jobs     map[string]*entry
	children map[string]map[string]bool // by parent
	attempts map[sdk.TaskID]*run
	alarms   mind.Alarms[string]
	dirty    map[string]bool
	wanting  map[string]bool // those with runs that wait for a launch, perhaps

	session  mind.Session
	offers   []sdk.Offer
	market   mind.Market
	begun    bool                   // of what is due now, some were launched
	turn     int                    // where the next placement begins to look
	requests []mind.Request[Change] // not yet admitted
	outbox   mind.Outbox
	history  history
	defined  int // bytes of the definitions in the store, with keys
}

// entry is one job, or what is left of one that was deleted.
type entry struct {
	name     string
	job      *job.Job // nil: deleted
	size     int      // of its definition and files in the store, with the keys
	files    []int    // places in job.Fetch whose data has values of its own in the store
	born     int64    // tells this job from an earlier one of that name: milliseconds since 1970
	floor    time.Time
	schedule due.Schedule // nil: it has parents
	state    stateRecord
	runs     []*run // oldest first, without those that have ended
	ending   []*run // those whose end is on its way to the store
	next     time.Time
	ended    bool // its schedule has
	busy     bool // a change of it is on its way to the store
	deleting bool // that change is its deletion
	history  []*line
	waits    string
}

// Step takes what has happened, in its order, and gives what has to be done about it,
// in order. The slice is valid until the next Step. Time that runs backwards counts as
// standing still.
func (b *Book) Step(now time.Time, inputs ...mind.Input) []mind.Effect {
	b.effects = b.effects[:0]
	if now.After(b.now) {
		b.now = now
	}
	for _, in := range inputs {
		b.take(in)
	}
	b.admit()
	for _, name := range b.alarms.Due(b.now) {
		b.touch(name)
	}
	b.emit(b.session.Again(b.now)...)
	b.evaluate()
	b.match()
	b.trade()
	b.reapOrphans()
	b.flush()
	return b.effects
}

func (b *Book) take(in mind.Input) {
	switch in := in.(type) {
	case mind.Request[Change]:
		b.requests = append(b.requests, in)
	case mind.Persisted:
		b.persisted(in.Txn)
	case mind.Refused:
		b.refused(in.Txn, in.Err)
	case mind.Subscribed:
		b.subscribed()
	case mind.Disconnected:
		b.session.End()
		b.offers = nil
	case mind.Offers:
		b.offers = append(b.offers, in.Offers...)
	case mind.Rescinded:
		b.rescinded(in.Offer)
	case mind.Update:
		b.update(in.Status)
	case mind.AgentFailed:
		b.emit(b.session.AgentFailed(b.now, in.Agent)...)
	case mind.Lost:
		b.lost(in.Tasks)
	case mind.Tick:
	}
}

// Due is when the next Tick is wanted; false: not before something else happens.
func (b *Book) Due() (time.Time, bool) {
	var due time.Time
	for _, at := range []time.Time{b.alarms.Next(), b.session.Due(), b.nextRevive(), b.outbox.Due()} {
		due = earlier(due, at)
	}
	return due, !due.IsZero()
}

// earlier is the earlier of two times; zero is none.
func earlier(x, y time.Time) time.Time {
	if x.IsZero() || !y.IsZero() && y.Before(x) {
		return y
	}
	return x
}

// touch has a job looked at again in this Step.
func (b *Book) touch(name string) { b.dirty[name] = true }

// entry is the one of that name, made if there is none.
func (b *Book) entry(name string) *entry {
	e := b.jobs[name]
	if e == nil {
		e = &entry{name: name}
		b.jobs[name] = e
	}
	return e
}

// forget drops a job of which nothing is left.
func (b *Book) forget(e *entry) {
	if e.job == nil && len(e.runs) == 0 && !e.busy {
		delete(b.jobs, e.name)
		delete(b.wanting, e.name)
	}
}

// handled is the last slot that was dealt with, or the time that counts as it.
func (e *entry) handled() time.Time {
	if e.state.Handled.After(e.floor) {
		return e.state.Handled
	}
	return e.floor
}

func (b *Book) emit(e ...mind.Effect) { b.effects = append(b.effects, e...) }

func (b *Book) log(level mind.Level, message string, kv ...any) {
	b.emit(mind.Log{Level: level, Message: message, KV: kv})
}
