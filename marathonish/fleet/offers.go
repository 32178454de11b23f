package fleet

import (
	"slices"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/launch"
	"github.com/profferhq/proffer/marathonish/placement"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
	"github.com/profferhq/proffer/sdk/wire"
)

// match puts what is due onto the offers at hand and gives the rest of them back. An
// offer is kept for one placement, and until the records of what is launched on it
// are in the store.
func (f *Fleet) match() {
	if len(f.offers) == 0 {
		return
	}
	offers := f.offers
	f.offers = nil
	looking := f.looking()
	wants := make([]placement.Want, len(looking))
	for i, s := range looking {
		wants[i] = placement.Want{App: s.app, Count: f.launchable(s)}
		for _, u := range s.placed() {
			wants[i].Placed = append(wants[i].Placed, placement.Placed{AgentID: u.rec.Agent, Host: u.rec.Host, Values: u.rec.Values})
		}
	}
	result := placement.Place(offers, wants, f.ids.number())
	byOffer := make([]batch, len(offers))
	bytes := make([]int, len(offers))
	sizes := make([]int, len(looking)) // of a task; 0 before it was asked for
	used := make([]map[int]bool, len(looking))
	for _, l := range result.Launches {
		s := looking[l.Want]
		if sizes[l.Want] == 0 {
			sizes[l.Want] = sizeOf(s.app)
		}
		b := &byOffer[l.Offer]
		n := len(b.units)
		if n == f.opt.MaxLaunches || n > 0 && bytes[l.Offer]+sizes[l.Want] > f.opt.MaxLaunchBytes {
			s.waiting.fresh = true // for another offer of the same agent
			continue
		}
		u, task := f.stage(s, &offers[l.Offer], &l)
		bytes[l.Offer] += sizes[l.Want]
		b.offer, b.units, b.tasks = offers[l.Offer].ID, append(b.units, u), append(b.tasks, task)
		if used[l.Want] == nil {
			used[l.Want] = map[int]bool{}
		}
		used[l.Want][l.Offer] = true
	}
	for i, s := range looking {
		s.waiting.heard(f.now, offers, result.Refused[i], used[i])
		f.touch(s.id)
	}
	decline := mind.Decline{Refuse: f.opt.Refuse}
	for i := range offers {
		if len(byOffer[i].units) == 0 {
			decline.Offers = append(decline.Offers, offers[i].ID)
			continue
		}
		byOffer[i].all = byOffer[i].units
		f.record(byOffer[i])
	}
	if len(decline.Offers) > 0 {
		f.emit(decline)
	}
	f.evaluate()
}

// sizeOf is about how many bytes a task of the app has in a message.
func sizeOf(a *app.App) int {
	task := launch.Task(launch.Run{App: a})
	data, err := wire.Marshal(wire.Msgpack, &task)
	if err != nil {
		return 1 // whoever sends it will say what is wrong
	}
	return len(data)
}

// stage makes the instance that is to be launched on an offer.
func (f *Fleet) stage(s *service, o *sdk.Offer, l *placement.Launch) (*unit, sdk.TaskInfo) {
	a, w := s.app, &s.waiting
	u := &unit{
		state: sdk.TaskStaging, offer: o.ID, since: f.now,
		rec: runRecord{
			App: a.ID, Version: a.Version, Config: a.LastConfigChangeAt, Index: w.indexes[0], Agent: o.AgentID, Host: o.Hostname,
			Task: sdk.TaskID(a.ID.TaskPrefix() + "." + f.ids.uuid()), Ports: l.Ports, Role: a.Role, Values: l.Values, Staged: f.now,
		},
	}
	w.indexes = w.indexes[1:]
	s.placing++
	f.enrol(s, u)
	return u, launch.Task(launch.Run{
		App: a, Index: u.rec.Index, TaskID: u.rec.Task, AgentID: o.AgentID, Host: o.Hostname, Ports: l.Ports, Resources: l.Resources,
	})
}

// batch are the instances that are to be launched on one offer.
type batch struct {
	offer sdk.OfferID
	units []*unit
	tasks []sdk.TaskInfo // of the units
	all   []*unit        // that were placed on it
}

// here tells whether the offer still is.
func (b *batch) here() bool {
	return !slices.ContainsFunc(b.all, func(u *unit) bool { return u.offer == "" })
}

// split takes those out that are not kept.
func (b *batch) split(kept func(*unit) bool) (others []*unit) {
	left := batch{offer: b.offer, all: b.all}
	for i, u := range b.units {
		if kept(u) {
			left.units, left.tasks = append(left.units, u), append(left.tasks, b.tasks[i])
		} else {
			others = append(others, u)
		}
	}
	*b = left
	return others
}

// record has the instances of one offer stored, and then launched.
func (f *Fleet) record(b batch) {
	var writes []sdk.StoreOp
	for _, u := range b.units {
		writes = append(writes, put(runKey(u.rec.Task), &u.rec))
	}
	done := func() { f.launch(b) }
	if plantLaunchBeforeRecord {
		f.launch(b)
		done = nil
	}
	f.post(&mind.Posting{Writes: writes, Alone: f.full.seen && f.now.Before(f.full.scarce) || f.reserved(), Done: done, Failed: func(err *sdk.Error) { f.squeeze(b, err) }})
}

// yield takes back those of the instances from the n-th on that would grow into the room of
// a successor, here or elsewhere.
func (f *Fleet) yield(b *batch, n int, err *sdk.Error) {
	if !f.reserved() {
		return
	}
	others := map[*service]int{} // placed on other offers
	for _, u := range b.units {
		s := f.services[u.rec.App]
		if _, counted := others[s]; !counted {
			others[s] = s.placing
		}
		others[s]--
	}
	kept, i := map[*service]int{}, 0
	f.unplace(b.split(func(u *unit) bool {
		s := f.services[u.rec.App]
		i++
		if i > n && kept[s]+others[s] >= s.owed {
			return false
		}
		kept[s]++
		return true
	}), err)
}

// squeeze has as many of the instances stored as there is room for.
func (f *Fleet) squeeze(b batch, err *sdk.Error) {
	f.scarce(f.now)
	f.next(b, 0, err)
}

// next stores one after the other of the instances from the n-th on, until one has no room,
// and launches those before that. Running comes before remembering: what has failed last may
// have taken the room of what ended, and goes for it. The time of a launch goes without its
// fractions: a record is no longer than that of the instance whose room it takes.
func (f *Fleet) next(b batch, n int, err *sdk.Error) {
	f.yield(&b, n, err)
	if n == len(b.units) {
		f.launch(b)
		return
	}
	u := b.units[n]
	s := f.services[u.rec.App]
	f.strike(s, u) // it is found by that time
	u.rec.Staged = u.rec.Staged.Truncate(time.Second)
	f.enrol(s, u)
	f.post(&mind.Posting{
		Writes: []sdk.StoreOp{removeAll(keyFailures + "/"), put(runKey(u.rec.Task), &u.rec)},
		Alone:  true, // with what ends meanwhile it would take the room of that
		Done:   func() { f.next(b, n+1, err) },
		Failed: func(err *sdk.Error) {
			f.unplace(b.split(func(u *unit) bool { return slices.Contains(b.units[:n], u) }), err)
			f.launch(b)
		},
	})
}

// launch accepts the offer. An instance that is not wanted any more, or whose offer
// is gone, is not launched: its record goes again.
func (f *Fleet) launch(b batch) {
	accept := mind.Accept{Offer: b.offer, Refuse: f.opt.Refuse}
	if len(f.looking()) > 0 { // what has come to be due since the offer was matched wants the rest of it
		accept.Refuse = 0
	}
	for i, u := range b.units {
		s := f.services[u.rec.App]
		f.touch(s.id)
		s.placing--
		f.owe(s, max(s.owed-1, 0)) // it has its room; one that is withdrawn gives it back
		if u.rec.Doom != nil || u.offer == "" || !f.session.Up() {
			f.withdraw(s, u)
			continue
		}
		u.launched, u.since = true, f.now
		f.session.Watch(&u.watch, u.rec.Task, u.rec.Agent, true)
		accept.Tasks = append(accept.Tasks, b.tasks[i])
		f.tell(u, "launched")
	}
	switch {
	case len(accept.Tasks) > 0:
		f.emit(accept)
	case f.session.Up() && b.here():
		f.emit(mind.Decline{Offers: []sdk.OfferID{b.offer}, Refuse: accept.Refuse})
	}
}

// withdraw deletes the record of an instance that was never launched.
func (f *Fleet) withdraw(s *service, u *unit) {
	u.ended, u.state = true, sdk.TaskDropped
	f.erase(s, u)
	f.touch(s.id)
}

// unplace takes back placements that the store has no room for.
func (f *Fleet) unplace(units []*unit, err *sdk.Error) {
	if len(units) == 0 {
		return
	}
	f.full.until, f.full.reason = f.now.Add(f.opt.FullPause), err.Message
	f.scarce(f.full.until)
	f.log(mind.Warn, "nothing can be launched: the store does not take the record", "error", err)
	for _, u := range units {
		u.ended = true
		s := f.services[u.rec.App]
		f.strike(s, u)
		s.placing--
		s.denied = f.full.until
		s.ended = f.now // what it is owed it stays owed
		f.touch(s.id)
		if u.rec.Doom != nil || u.verdict != nil { // which may be on its way to the store, with the whole record
			f.post(&mind.Posting{Writes: []sdk.StoreOp{remove(runKey(u.rec.Task))}})
		}
	}
}

// rescinded drops an offer, and the launches on it that were not made yet.
func (f *Fleet) rescinded(offer sdk.OfferID) {
	kept := f.offers[:0:0]
	for _, o := range f.offers {
		if o.ID != offer {
			kept = append(kept, o)
		}
	}
	f.offers = kept
	for _, u := range f.units {
		if u.offer == offer && !u.launched {
			u.offer = ""
		}
	}
}

// trade asks for offers where something new is due, and for none where nothing is.
func (f *Fleet) trade() {
	if !f.session.Up() {
		return
	}
	due, fresh := map[string]bool{}, map[string]bool{}
	looking := f.looking()
	for _, s := range looking {
		due[s.app.Role] = true
		fresh[s.app.Role] = fresh[s.app.Role] || s.waiting.fresh
	}
	for role := range due {
		if f.market[role] == nil {
			f.market[role] = &mind.Market{}
		}
	}
	for _, role := range sortedKeys(f.market) {
		e := f.market[role].Trade(f.now, role, due[role], fresh[role])
		if e == nil {
			continue
		}
		f.emit(e)
		for _, s := range looking {
			if s.app.Role == role {
				s.waiting.fresh = false
			}
		}
	}
}

// nextRevive is when a revive that was put off is due.
func (f *Fleet) nextRevive() time.Time {
	var next time.Time
	if !f.session.Up() {
		return next
	}
	for _, m := range f.market {
		if at := m.Due(); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}
