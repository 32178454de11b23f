package boot

import (
	"cmp"
	"slices"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// The paces of init.
const (
	// healthyLife: who lived that long failed by chance, and starts again at once.
	healthyLife = 5 * time.Second
	// firstPause is the pause before the second start in a row; it doubles from there.
	firstPause = time.Second
	longPause  = time.Minute
	// askAgain is how long an attempt of which nothing was heard is not asked about again:
	// a new leader is silent until its agent is back.
	askAgain = time.Second
	// killAgain is how long a kill that shows no effect is not repeated.
	killAgain = 5 * time.Second
	// refusal is for how long an offer of no use is not wanted again, unless it grew.
	refusal = time.Minute
)

// Plan decides what init does. It is pure; the zero value is of no use, see NewPlan.
type Plan struct {
	manifest *sdk.BootManifest
	wanted   map[Slot]*wish
	order    []Slot // of wanted: as in the manifest
	apps     string // data: URI of the apps' file; empty without apps
	runs     map[Slot]*run
	here     bool          // subscribed
	asked    map[Slot]bool // slots for which offers were asked
	revived  bool          // offers come
	effects  []Effect
}

// wish is one instance as the manifest wants it.
type wish struct {
	*sdk.BootFramework
	digest string
}

// run is the newest attempt of a slot.
type run struct {
	Record
	state  sdk.TaskState // the last that was heard; empty: nothing since the subscription
	since  time.Time     // when it was first seen running
	asked  time.Time     // when it was last asked for
	killed time.Time     // when it was last told to end; zero: it is wanted
}

// NewPlan begins with the records that the store has, of leaders before.
func NewPlan(records []*Record) *Plan {
	p := &Plan{wanted: map[Slot]*wish{}, runs: map[Slot]*run{}, asked: map[Slot]bool{}}
	for _, r := range records {
		p.runs[r.Slot()] = &run{Record: *r}
	}
	return p
}

// Manifest says what is wanted from now on.
func (p *Plan) Manifest(now time.Time, m *sdk.BootManifest) []Effect {
	p.manifest = m
	p.apps = appsFile(m)
	clear(p.wanted)
	p.order = p.order[:0]
	clear(p.asked) // it may want less than before: what was refused may do
	for i := range m.Frameworks {
		f := &m.Frameworks[i]
		w := &wish{f, digestOf(f, p.apps)}
		for n := range f.Instances {
			s := Slot{f.Name, n}
			p.wanted[s], p.order = w, append(p.order, s)
		}
	}
	return p.settle(now)
}

// Subscribed says that a leader's stream has begun: what it knew of offers and states
// before is void.
func (p *Plan) Subscribed(now time.Time) []Effect {
	p.here, p.revived = true, false // a subscription begins suppressed
	clear(p.asked)
	for _, r := range p.runs {
		r.state, r.asked = "", time.Time{}
		if !r.killed.IsZero() {
			r.killed = time.Unix(0, 1) // told again at once
		}
	}
	return p.settle(now)
}

// Tick lets time pass.
func (p *Plan) Tick(now time.Time) []Effect { return p.settle(now) }

// Due is when the next Tick is wanted; false when nothing waits for time.
func (p *Plan) Due() (time.Time, bool) {
	var due time.Time
	note := func(at time.Time) {
		if due.IsZero() || at.Before(due) {
			due = at
		}
	}
	for s, r := range p.runs {
		switch {
		case r.Over:
			// A pause that is over counts until the offers are asked for.
			if p.wanted[s] != nil && !p.asked[s] {
				note(r.notBefore())
			}
		case !r.killed.IsZero():
			note(r.killed.Add(killAgain))
		case r.state == "":
			note(r.asked.Add(askAgain))
		}
	}
	return due, !due.IsZero()
}

// notBefore is when an instance that is over may start again.
func (r *run) notBefore() time.Time {
	at := time.Unix(0, r.Ended)
	if r.Failures < 2 {
		return at
	}
	return at.Add(min(firstPause<<min(r.Failures-2, 10), longPause))
}

// settle compares what is wanted with what there is, and says what follows.
func (p *Plan) settle(now time.Time) []Effect {
	for _, s := range p.slots() {
		// The record of a slot that nobody wants any more stays: an id is never used again.
		if r := p.runs[s]; p.here && !r.Over {
			p.settleRun(now, s, r)
		}
	}
	if p.here {
		p.wantOffers(now)
	}
	out := p.effects
	p.effects = nil
	return out
}

// settleRun asks about an attempt of which nothing is known, and ends one that is not
// wanted so.
func (p *Plan) settleRun(now time.Time, s Slot, r *run) {
	if r.killed.IsZero() && p.mayEnd(s, r) {
		r.killed = time.Unix(0, 1)
		p.emit(Log{Message: "ending what the manifest no longer wants so", KV: []any{"task", r.TaskID}})
	}
	switch {
	case !r.killed.IsZero() && now.Sub(r.killed) >= killAgain:
		r.killed = now
		p.emit(Kill{TaskID: r.TaskID, AgentID: r.AgentID})
	case r.state == "" && now.Sub(r.asked) >= askAgain:
		r.asked = now
		p.emit(Ask{TaskID: r.TaskID, AgentID: r.AgentID})
	}
}

// mayEnd tells whether an attempt is to be ended: nobody wants its slot, or the manifest
// describes it otherwise and no sibling is being replaced.
func (p *Plan) mayEnd(s Slot, r *run) bool {
	w := p.wanted[s]
	if w == nil {
		return true
	}
	if w.digest == r.Digest {
		return false
	}
	for n := range w.Instances {
		sibling := Slot{s.Name, n}
		if other := p.runs[sibling]; sibling != s && (other == nil || other.Over || !other.killed.IsZero() || other.state != sdk.TaskRunning) {
			return false
		}
	}
	return true
}

// wantOffers revives the role when something new waits for an offer, and suppresses it
// when nothing does any more.
func (p *Plan) wantOffers(now time.Time) {
	due := p.due(now)
	fresh := slices.ContainsFunc(due, func(s Slot) bool { return !p.asked[s] })
	switch {
	case fresh:
		p.revived = true
		p.emit(Revive{})
	case len(due) == 0 && p.revived:
		p.revived = false
		p.emit(Suppress{})
	}
	clear(p.asked)
	for _, s := range due {
		p.asked[s] = true
	}
}

// due are the slots that wait for an offer now, in their order.
func (p *Plan) due(now time.Time) []Slot {
	var out []Slot
	for _, s := range p.order {
		if r := p.runs[s]; r == nil || r.Over && !r.notBefore().After(now) {
			out = append(out, s)
		}
	}
	return out
}

// slots are all that have a run, in order.
func (p *Plan) slots() []Slot {
	all := make([]Slot, 0, len(p.runs))
	for s := range p.runs {
		all = append(all, s)
	}
	slices.SortFunc(all, compareSlots)
	return all
}

func compareSlots(a, b Slot) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Index, b.Index))
}

func (p *Plan) emit(e Effect) { p.effects = append(p.effects, e) }
