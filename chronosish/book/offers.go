package book

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// eligible are the runs that may be launched now.
func (b *Book) eligible() []*run {
	var list []*run
	for _, name := range sortedKeys(b.wanting) {
		e := b.jobs[name]
		waiting := false
		for i, r := range e.runs {
			if !r.waits() {
				continue
			}
			waiting = true
			if e.job != nil && !e.busy && r.decided && !r.rec.NotBefore.After(b.now) && (e.job.Concurrent || i == 0) {
				list = append(list, r)
			}
		}
		if !waiting {
			delete(b.wanting, name)
			e.waits = ""
		}
	}
	return list
}

// candidates are the runs that may be launched now, in the order in which they are: those
// of important jobs first, then by their nominal time.
func (b *Book) candidates() []*run {
	list := b.eligible()
	slices.SortStableFunc(list, func(x, y *run) int {
		if p, q := b.jobs[x.rec.Job].job.HighPriority, b.jobs[y.rec.Job].job.HighPriority; p != q {
			if p {
				return -1
			}
			return 1
		}
		return cmp.Or(x.rec.Nominal.Compare(y.rec.Nominal), cmp.Compare(x.rec.Job, y.rec.Job))
	})
	return list
}

// match puts the runs that wait onto the offers at hand and gives the rest of them back.
// An offer is kept for one placement, and until the records of what is launched on it
// are in the store.
func (b *Book) match() {
	if len(b.offers) == 0 {
		return
	}
	rooms := make([]*room, len(b.offers))
	for i := range b.offers {
		rooms[i] = measure(&b.offers[i])
	}
	b.offers = nil
	most := b.opt.MaxLaunches
	if !b.begun {
		most = min(most, launchesFirst)
	}
	b.begun = true
	tight := map[*job.Job]string{}
	for _, r := range b.candidates() {
		e := b.jobs[r.rec.Job]
		why, known := tight[e.job]
		if !known {
			var at *room
			if at, why = b.place(e.job, rooms, most); at != nil {
				b.stage(e, r, at)
				continue
			}
			tight[e.job] = why
		}
		e.waits = why
	}
	decline := mind.Decline{Refuse: b.opt.Refuse}
	for _, at := range rooms {
		if len(at.runs) == 0 {
			decline.Offers = append(decline.Offers, at.offer.ID)
			continue
		}
		b.record(at)
	}
	if len(decline.Offers) > 0 {
		b.emit(decline)
	}
}

// nextOffer is waited for where an offer has as many launches as it may.
const nextOffer = "the next offer"

// launchesFirst is how many are launched on the first offer when many are due together:
// they start while the rest is written down.
const launchesFirst = 50

// place finds an offer for one attempt, and says why where there is none. It begins to
// look where it has not looked last, so that attempts are spread.
func (b *Book) place(j *job.Job, rooms []*room, most int) (*room, string) {
	why := ""
	for k := range rooms {
		i := (b.turn + k) % len(rooms)
		at := rooms[i]
		if len(at.runs) >= most || at.inline > 0 && at.inline+inline(j) > maxInline {
			why = nextOffer
			continue
		}
		refusal := at.refuses(j)
		if refusal == "" {
			b.turn = i + 1
			return at, ""
		}
		if why != nextOffer {
			why = refusal
		}
	}
	return nil, why
}

// room is what is left of an offer.
type room struct {
	offer *sdk.Offer
	left  []int64 // of each of its resources, in thousandths; 0 for those that are not used
	runs  []*run
	tasks []sdk.TaskInfo
	// inline is how much the files inside of the tasks have, in bytes.
	inline int
}

// maxInline bounds what travels inside the tasks that are launched together, in bytes: the
// call that launches them has a bound, too.
const maxInline = 8 << 20

// inline is how much the URIs of a job have, in bytes.
func inline(j *job.Job) (n int) {
	for i := range j.Fetch {
		n += len(j.Fetch[i].URI)
	}
	return n
}

func measure(o *sdk.Offer) *room {
	at := &room{offer: o, left: make([]int64, len(o.Resources))}
	for i := range o.Resources {
		x := &o.Resources[i]
		if x.Disk == nil && x.Revocable == nil && x.Shared == nil && x.ProviderID == "" && x.Scalar != nil {
			at.left[i] = sdk.Millis(x.Scalar.Value)
		}
	}
	return at
}

// need is one scalar that a job wants, in thousandths.
type need struct {
	name   string
	millis int64
}

func needs(j *job.Job) [3]need {
	return [3]need{{"cpus", sdk.Millis(j.CPUs)}, {"mem", sdk.Millis(j.Mem)}, {"disk", sdk.Millis(j.Disk)}}
}

// refuses says why an attempt does not fit; empty: it does.
func (at *room) refuses(j *job.Job) string {
	for _, c := range j.Constraints {
		if !at.fulfils(c) {
			return fmt.Sprintf("an agent that fulfils the constraint %s %s %s", c.Attribute, c.Operator, c.Value)
		}
	}
	for _, n := range needs(j) {
		var have int64
		for i := range at.left {
			if at.offer.Resources[i].Name == n.name {
				have += at.left[i]
			}
		}
		if have < n.millis {
			return fmt.Sprintf("resources: %s:%g are needed on one agent, and the last offer has %g", n.name, sdk.FromMillis(n.millis), sdk.FromMillis(have))
		}
	}
	return ""
}

// fulfils tells whether the agent has what a constraint asks for. Ranges fulfil none.
func (at *room) fulfils(c job.Constraint) bool {
	if c.Attribute == "hostname" {
		return compare(c, at.offer.Hostname)
	}
	for i := range at.offer.Attributes {
		x := &at.offer.Attributes[i]
		if x.Name != c.Attribute {
			continue
		}
		var values []string
		switch {
		case x.Text != nil:
			values = []string{x.Text.Value}
		case x.Scalar != nil:
			values = []string{fmt.Sprint(x.Scalar.Value)}
		case x.Set != nil:
			values = x.Set.Item
		}
		if slices.ContainsFunc(values, func(v string) bool { return compare(c, v) }) {
			return true
		}
	}
	return false
}

func compare(c job.Constraint, value string) bool {
	if c.Operator == job.Equals {
		return value == c.Value
	}
	pattern, err := regexp.Compile(`\A(?:` + c.Value + `)\z`)
	return err == nil && pattern.MatchString(value) == (c.Operator == job.Like)
}

// take books one attempt, which must fit, and gives its resources.
func (at *room) take(j *job.Job) []sdk.Resource {
	var taken []sdk.Resource
	for _, n := range needs(j) {
		for i := range at.left {
			if at.offer.Resources[i].Name != n.name {
				continue
			}
			if part := min(n.millis, at.left[i]); part > 0 {
				at.left[i] -= part
				n.millis -= part
				entry := at.offer.Resources[i]
				entry.Scalar = &sdk.Scalar{Value: sdk.FromMillis(part)}
				taken = append(taken, entry)
			}
		}
	}
	return taken
}

// stage makes the attempt that is to be launched on an offer.
func (b *Book) stage(e *entry, r *run, at *room) {
	x := &r.rec
	x.Task, x.Agent, x.Host, x.Staged = x.taskID(), at.offer.AgentID, at.offer.Hostname, b.now
	r.state, r.offer = sdk.TaskStaging, at.offer.ID
	b.attempts[x.Task] = r
	at.inline += inline(e.job)
	at.runs, at.tasks = append(at.runs, r), append(at.tasks, task(e.job, r, at.take(e.job)))
	e.waits = ""
}

// record has the attempts of one offer stored, and then launched.
func (b *Book) record(at *room) {
	var writes []sdk.StoreOp
	for _, r := range at.runs {
		writes = append(writes, put(runKey(&r.rec), &r.rec))
	}
	b.post(&mind.Posting{Writes: writes, Done: func() { b.launch(at) }})
}

// launch accepts the offer. An attempt that is not wanted any more, or whose offer is
// gone, is not launched: nobody has heard of it, so that its task's id is still good.
//
// Where something waits, what is left of the offer is wanted again at once: it was not
// there yet when this offer was matched, or there was no room for its record in the
// transaction. The revive that it has caused is older than this answer, which would have
// the kernel keep the rest back.
func (b *Book) launch(at *room) {
	accept := mind.Accept{Offer: at.offer.ID, Refuse: b.opt.Refuse}
	if len(b.eligible()) > 0 {
		accept.Refuse = 0
	}
	here := false
	for i, r := range at.runs {
		e := b.jobs[r.rec.Job]
		b.touch(e.name)
		here = here || r.offer != ""
		if r.rec.Stop != due.NotStopped || r.offer == "" || !b.session.Up() {
			b.withdraw(e, r)
			continue
		}
		r.launched = true
		b.session.Watch(&r.watch, r.rec.Task, r.rec.Agent, true)
		accept.Tasks = append(accept.Tasks, at.tasks[i])
	}
	switch {
	case len(accept.Tasks) > 0:
		b.emit(accept)
	case b.session.Up() && here:
		b.emit(mind.Decline{Offers: []sdk.OfferID{at.offer.ID}, Refuse: accept.Refuse})
	}
}

// withdraw takes a launch back that was not made.
func (b *Book) withdraw(e *entry, r *run) {
	x := &r.rec
	delete(b.attempts, x.Task)
	x.Task, x.Agent, x.Host, x.Staged = "", "", "", time.Time{}
	stop := x.Stop
	x.Stop = due.NotStopped
	r.state, r.offer, r.seen, r.decided = "", "", false, false
	b.save(r, func() { b.decided([]*run{r}) })
	if stop != due.NotStopped {
		b.stop(e, r, stop)
	}
}

// rescinded drops an offer, and the launches on it that were not made yet.
func (b *Book) rescinded(offer sdk.OfferID) {
	b.offers = slices.DeleteFunc(b.offers, func(o sdk.Offer) bool { return o.ID == offer })
	for _, r := range b.attempts {
		if r.offer == offer && !r.launched {
			r.offer = ""
		}
	}
}

// trade asks for offers where something new waits, and for none where nothing does.
func (b *Book) trade() {
	if !b.session.Up() {
		return
	}
	list := b.eligible()
	b.begun = b.begun && len(list) > 0
	fresh := slices.ContainsFunc(list, func(r *run) bool { return !r.seen })
	e := b.market.Trade(b.now, "", len(list) > 0, fresh)
	if e == nil {
		return
	}
	b.emit(e)
	for _, r := range list {
		r.seen = true
	}
}

// nextRevive is when a revive that was put off is due.
func (b *Book) nextRevive() time.Time {
	if !b.session.Up() {
		return time.Time{}
	}
	return b.market.Due()
}
