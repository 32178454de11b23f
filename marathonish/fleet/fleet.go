package fleet

import (
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/plan"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// Options are the times and bounds of a Fleet; zero values mean the defaults.
type Options struct {
	// Seed makes the ids and the choice of ports. It must be new for each Fleet.
	Seed [16]byte
	// KillRetry is after how long a KILL that brought about nothing is said again.
	KillRetry time.Duration
	// AskAgain is after how long an instance that nobody tells of is asked for again.
	AskAgain time.Duration
	// Refresh is after how long all instances are asked for, as a net.
	Refresh time.Duration
	// LaunchTimeout is how long an instance may be launched and not run.
	LaunchTimeout time.Duration
	// Refuse is for how long the same resources of an agent are not wanted again. A
	// revive ends it.
	Refuse time.Duration
	// FullPause is how long nothing is launched after the store was full, and how long after
	// Load apps do not grow while others lack instances.
	FullPause time.Duration
	// MaxTxn is the size of a transaction in bytes that is not exceeded by gathering,
	// MaxWrites the number of writes.
	MaxTxn, MaxWrites int
	// MaxLaunches is how many instances are launched on one offer, because their records
	// are one transaction. What is left over goes with the next offer.
	MaxLaunches int
	// MaxLaunchBytes is the size of the tasks, in bytes, up to which they are launched
	// together on one offer, because the call that does so is one message to the kernel and
	// another to the agent. One task alone may have more.
	MaxLaunchBytes int
	// MaxVersions are kept of each app, MaxDeployments run at once.
	MaxVersions, MaxDeployments int
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		at   *time.Duration
		time time.Duration
	}{
		{&o.KillRetry, 10 * time.Second}, {&o.AskAgain, 5 * time.Second}, {&o.Refresh, 10 * time.Minute},
		{&o.LaunchTimeout, 5 * time.Minute}, {&o.Refuse, 2 * time.Minute}, {&o.FullPause, 5 * time.Second},
	} {
		if *d.at == 0 {
			*d.at = d.time
		}
	}
	for _, d := range []struct {
		at *int
		n  int
	}{{&o.MaxTxn, 900 << 10}, {&o.MaxWrites, 4000}, {&o.MaxLaunches, 1000}, {&o.MaxLaunchBytes, 8 << 20}, {&o.MaxVersions, 50}, {&o.MaxDeployments, 100}} {
		if *d.at == 0 {
			*d.at = d.n
		}
	}
	return o
}

// Fleet is the mind of the marathonish that leads.
type Fleet struct {
	opt     Options
	now     time.Time
	effects []mind.Effect
	ids     ids

	services    map[app.ID]*service
	units       map[sdk.TaskID]*unit
	deployments map[string]*deployment
	ports       []uint16 // how many apps have each service port
	booted      map[app.ID]bool
	dirty       map[app.ID]bool
	wanting     map[app.ID]bool // those with launches that are due or delayed
	alarms      mind.Alarms[app.ID]

	session  mind.Session
	before   bool // there was a subscription already
	offers   []sdk.Offer
	market   map[string]*mind.Market // by role
	recent   recent
	requests []mind.Request[Change] // not yet admitted
	outbox   mind.Outbox
	full     fullness
	burying  int // instances whose end is on its way to the store
	owing    int // services with owed
}

// service is one app, or what is left of one that was destroyed.
type service struct {
	id         app.ID
	app        *app.App // nil: destroyed
	former     *app.App // the last definition of a destroyed one
	versions   map[app.Version]*app.App
	units      map[sdk.TaskID]*unit
	order      []*unit // the same, by index and then by age
	deployment *deployment
	backoff    plan.Backoff
	failure    *Failure
	busy       bool // a change of it is on its way to the store
	waiting    waiting
	owed       int       // launches that have the room of ended instances in a full store; see owe
	ended      time.Time // when the last of these did
	placing    int       // instances that are placed and not launched yet
	denied     time.Time // before this the store is not asked again for room for a launch
	restored   bool      // it was loaded, and not looked at yet
	settled    bool      // what is wanted is there
	waits      string    // for what, otherwise
}

// Step takes what has happened, in its order, and gives what has to be done about it,
// in order. The slice is valid until the next Step. Time that runs backwards counts as
// standing still.
func (f *Fleet) Step(now time.Time, inputs ...mind.Input) []mind.Effect {
	f.effects = f.effects[:0]
	before := f.now
	if now.After(f.now) {
		f.now = now
	}
	f.opened(before)
	for _, in := range inputs {
		f.take(in)
	}
	f.settle()
	return f.effects
}

func (f *Fleet) take(in mind.Input) {
	switch in := in.(type) {
	case mind.Request[Change]:
		f.requests = append(f.requests, in)
	case mind.Persisted:
		f.outbox.Persisted(in.Txn)
	case mind.Refused:
		f.outbox.Refused(f.now, in)
	case mind.Subscribed:
		f.subscribed(in)
	case mind.Disconnected:
		f.disconnected()
	case mind.Offers:
		f.offers = append(f.offers, in.Offers...)
	case mind.Rescinded:
		f.rescinded(in.Offer)
	case mind.Update:
		f.update(in.Status)
	case mind.AgentFailed:
		f.emit(f.session.AgentFailed(f.now, in.Agent)...)
	case mind.Lost:
		f.lost(in.Tasks)
	case mind.Tick:
	}
}

// settle does what follows from what has changed.
func (f *Fleet) settle() {
	f.admit()
	for _, id := range f.alarms.Due(f.now) {
		f.touch(id)
	}
	f.emit(f.session.Again(f.now)...)
	f.evaluate()
	f.match()
	f.trade()
	f.reapOrphans()
	f.flush()
}

// Due is when the next Tick is wanted; false: not before something else happens.
func (f *Fleet) Due() (time.Time, bool) {
	var due time.Time
	for _, at := range []time.Time{f.alarms.Next(), f.session.Due(), f.nextRevive(), f.outbox.Due(), f.roomDue()} {
		if !at.IsZero() && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	return due, !due.IsZero()
}

// touch has an app looked at again in this Step.
func (f *Fleet) touch(id app.ID) { f.dirty[id] = true }

// service is the one of that id, made if there is none.
func (f *Fleet) service(id app.ID) *service {
	s := f.services[id]
	if s == nil {
		s = &service{id: id, versions: map[app.Version]*app.App{}, units: map[sdk.TaskID]*unit{}}
		f.services[id] = s
	}
	return s
}

// forget drops a service of which nothing is left.
func (f *Fleet) forget(s *service) {
	if s.app == nil && len(s.units) == 0 && s.deployment == nil && !s.busy {
		f.owe(s, 0)
		delete(f.services, s.id)
	}
}

func (f *Fleet) emit(e ...mind.Effect) { f.effects = append(f.effects, e...) }

func (f *Fleet) log(level mind.Level, message string, kv ...any) {
	f.emit(mind.Log{Level: level, Message: message, KV: kv})
}
