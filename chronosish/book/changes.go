package book

import (
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/chronosish/due"
	"github.com/profferhq/proffer/chronosish/graph"
	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// admit begins the changes that are asked for, in their order. One that is about a job
// with a change on its way waits for it, and so does all that follows it about that job.
func (b *Book) admit() {
	held := map[string]bool{}
	requests := b.requests
	b.requests = nil
	for _, q := range requests {
		names := b.touches(&q.Change)
		if slices.ContainsFunc(names, func(n string) bool { return held[n] || b.jobs[n] != nil && b.jobs[n].busy }) {
			for _, n := range names {
				held[n] = true
			}
			b.requests = append(b.requests, q)
			continue
		}
		b.begin(q)
	}
}

// touches are the names of the jobs that a change is about.
func (b *Book) touches(c *Change) []string {
	names := slices.Clone(c.Names)
	for _, j := range c.Jobs {
		names = append(names, j.Name)
	}
	if c.Kind == Delete {
		for _, n := range c.Names {
			names = append(names, sortedKeys(b.children[n])...)
		}
	}
	return names
}

func (b *Book) find(name string) *job.Job {
	if e := b.jobs[name]; e != nil && !e.deleting {
		return e.job
	}
	return nil
}

func (b *Book) begin(q mind.Request[Change]) {
	c := &q.Change
	var refusal *job.Refusal
	for _, name := range sortedKeys(c.IfVersion) {
		version := uint64(0)
		if j := b.find(name); j != nil {
			version = j.Version
		}
		if version != c.IfVersion[name] {
			refusal = job.Refusef(409, "The job %q was changed meanwhile. Read it again.", name)
		}
	}
	for _, name := range c.Names {
		if b.find(name) == nil {
			refusal = job.Missing(name)
		}
	}
	if refusal == nil {
		switch c.Kind {
		case Put:
			refusal = b.put(q, c.Jobs, nil)
		case Delete:
			refusal = b.put(q, b.heirs(c.Names), c.Names)
		case Switch:
			refusal = b.put(q, b.switched(c.Names, c.Disabled), nil)
		case RunNow:
			b.runNow(q)
		case Kill:
			b.killAll(q)
		case Succeed:
			b.succeed(q)
		}
	}
	if refusal != nil {
		b.emit(mind.Reply[Outcome]{ID: q.ID, Refusal: refusal})
	}
}

// switched are jobs as they are now, but disabled or not.
func (b *Book) switched(names []string, disabled bool) []*job.Job {
	var list []*job.Job
	for _, name := range names {
		j := b.find(name).Clone()
		j.Disabled = disabled
		list = append(list, j)
	}
	return list
}

// edit is one job that is made or replaced, ready to be stored.
type edit struct {
	rec      jobRecord
	write    sdk.StoreOp   // of it
	files    []sdk.StoreOp // those of its files that change
	room     int           // bytes of all of its files in the store, with keys
	job      *job.Job
	schedule due.Schedule
	passed   *due.Skip // slots that the change passes over
}

// put makes and replaces jobs, and deletes others, in one transaction.
func (b *Book) put(q mind.Request[Change], jobs []*job.Job, gone []string) *job.Refusal {
	var edits []*edit
	for _, j := range jobs {
		was := b.find(j.Name)
		if was != nil && was.Same(j) {
			continue
		}
		ed, refusal := b.edit(j, was)
		if refusal != nil {
			return refusal
		}
		edits = append(edits, ed)
	}
	if refusal := b.check(edits, gone); refusal != nil {
		return refusal
	}
	if refusal := b.fits(edits, gone); refusal != nil {
		return refusal
	}
	if len(edits) == 0 && len(gone) == 0 {
		b.emit(mind.Reply[Outcome]{ID: q.ID, Outcome: Outcome{At: b.now}})
		return nil
	}
	var writes []sdk.StoreOp
	for _, ed := range edits {
		e := b.entry(ed.job.Name)
		e.busy = true
		writes = append(append(writes, ed.write), ed.files...)
		if ed.passed != nil {
			writes = append(writes, b.skip(e, BySlot, *ed.passed)...)
		}
	}
	for _, name := range gone {
		e := b.jobs[name]
		e.busy, e.deleting = true, true
		writes = append(writes, remove(jobKey(name)), remove(stateKey(name)), removeBelow(filesKey(name)), removeBelow(keyHistory+name+"/"))
	}
	b.post(&mind.Posting{
		Writes: writes,
		Done: func() {
			b.apply(edits, gone)
			b.emit(mind.Reply[Outcome]{ID: q.ID, Outcome: Outcome{At: b.now, Change: true}})
		},
		Failed: func(err *sdk.Error) {
			for _, name := range b.touches(&q.Change) {
				e := b.jobs[name]
				if e != nil {
					e.busy, e.deleting = false, false
					b.touch(name)
					b.forget(e)
				}
			}
			b.emit(mind.Reply[Outcome]{ID: q.ID, Refusal: job.Refusef(503, "The store has no room for this: %s", err.Message)})
		},
	})
	return nil
}

// edit makes the record of a definition: when it was made, which version it is, and from
// where on slots are its own.
func (b *Book) edit(j, was *job.Job) (*edit, *job.Refusal) {
	j = j.Clone()
	now := b.now.UTC().Truncate(time.Millisecond)
	rec := jobRecord{Born: now.UnixMilli()}
	e := b.jobs[j.Name]
	heir := was != nil && was.Dependent() && !j.Dependent() && !j.Created.IsZero() // the anchor is its parent's
	switch {
	case was == nil:
		j.Created, j.Version = now, 1
	case j.Continues(was):
		j.Created, j.Version = was.Created, was.Version+1
		rec.Born, rec.Floor = e.born, e.floor
	default:
		if !heir {
			j.Created = now
		}
		j.Version = was.Version + 1
		rec.Born, rec.Floor = e.born, now.Add(-1)
		if _, windowed := j.Window(); windowed && !heir && startsAt(j.Schedule) {
			rec.Floor = e.handled() // whoever names a start in the past with a window wants what is still in it
		}
	}
	if was == nil && e != nil { // what is left of an earlier one of that name
		rec.Born = max(rec.Born, e.born+1)
	}
	ed := &edit{job: j}
	if !j.Dependent() {
		s, err := b.opt.Parse(j)
		if err != nil {
			return nil, job.Invalid("%s", sentence(err))
		}
		ed.schedule = s
		if was == nil && !strings.HasPrefix(j.Schedule, "R") {
			rec.Floor = now.Add(-1) // a cron schedule has no beginning of its own
		}
	}
	if was != nil && was.Disabled && !j.Disabled && ed.schedule != nil {
		from := e.handled()
		if rec.Floor.After(from) {
			from = rec.Floor
		}
		if ed.passed = due.Pass(b.now, ed.schedule, from, due.Disabled); ed.passed != nil {
			rec.Floor = ed.passed.Last.UTC()
		}
	}
	rec.Job = definition(*j)
	var stored []int
	if was != nil {
		stored = e.files
	}
	ed.files, ed.room = rec.file(was, stored)
	ed.rec, ed.write = rec, put(jobKey(j.Name), &rec)
	return ed, nil
}

// startsAt tells whether a schedule names its start.
func startsAt(schedule string) bool {
	part := strings.Split(schedule, "/")
	return len(part) == 3 && part[1] != ""
}

// size is how much of the store the definition takes, with its files.
func (ed *edit) size() int { return len(ed.write.Key) + len(ed.write.Value) + lineOverhead + ed.room }

func sentence(err error) string {
	text := err.Error()
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// check looks whether definitions fit to the others, as these will be.
func (b *Book) check(edits []*edit, gone []string) *job.Refusal {
	changed := map[string]*job.Job{}
	var list []*job.Job
	for _, ed := range edits {
		changed[ed.job.Name] = ed.job
		list = append(list, ed.job)
	}
	find := func(name string) *job.Job {
		if j := changed[name]; j != nil {
			return j
		}
		if slices.Contains(gone, name) {
			return nil
		}
		return b.find(name)
	}
	return graph.Check(list, find)
}

// fits looks whether there is room for definitions, and whether each parent can tell all
// of its children at once.
func (b *Book) fits(edits []*edit, gone []string) *job.Refusal {
	bytes := int64(b.defined)
	for _, name := range gone {
		bytes -= int64(b.jobs[name].size)
	}
	more := map[string]int{}
	for _, ed := range edits {
		bytes += int64(ed.size())
		was := b.jobs[ed.job.Name]
		if was != nil {
			bytes -= int64(was.size)
		}
		for _, parent := range ed.job.Parents {
			if !b.children[parent][ed.job.Name] {
				more[parent]++
			}
		}
	}
	if most := b.opt.SpaceBytes / 2; bytes > most && bytes > int64(b.defined) {
		return job.Refusef(503, "The store has no room for this: the definitions of all jobs would have %d bytes, and may have %d.", bytes, most)
	}
	for _, parent := range sortedKeys(more) {
		if n := len(b.children[parent]) + more[parent]; n > b.opt.MaxChildren {
			return job.Invalid("The job %q would have %d children, and may have %d.", parent, n, b.opt.MaxChildren)
		}
	}
	return nil
}

// weigh notes how many bytes of the store a definition takes.
func (b *Book) weigh(e *entry, size int) {
	b.defined += size - e.size
	e.size = size
}

// apply does what is in the store now.
func (b *Book) apply(edits []*edit, gone []string) {
	for _, name := range gone {
		e := b.jobs[name]
		b.adopt(e.job, nil)
		b.burn(e)
		b.weigh(e, 0)
		e.job, e.files, e.schedule, e.state, e.busy, e.deleting = nil, nil, nil, stateRecord{}, false, false
		e.next, e.ended, e.waits = time.Time{}, false, ""
		b.touch(name)
		for _, r := range slices.Clone(e.runs) {
			b.stop(e, r, due.ByDeletion)
		}
		b.forget(e)
	}
	for _, ed := range edits {
		e := b.entry(ed.job.Name)
		b.adopt(e.job, ed.job)
		b.weigh(e, ed.size())
		e.job, e.files, e.schedule, e.born, e.floor, e.busy = ed.job, ed.rec.Files, ed.schedule, ed.rec.Born, ed.rec.Floor, false
		b.touch(e.name)
	}
}

// adopt keeps the list of children.
func (b *Book) adopt(was, is *job.Job) {
	if was != nil {
		for _, parent := range was.Parents {
			delete(b.children[parent], was.Name)
		}
	}
	if is != nil {
		for _, parent := range is.Parents {
			if b.children[parent] == nil {
				b.children[parent] = map[string]bool{}
			}
			b.children[parent][is.Name] = true
		}
	}
}

// heirs are the children of jobs that are deleted, as they are then: with the parents of
// their parents, or with the schedule of one where no parent is left.
func (b *Book) heirs(gone []string) []*job.Job {
	changed := map[string]*job.Job{}
	for _, name := range gone {
		dead := b.jobs[name].job
		for _, child := range sortedKeys(b.children[name]) {
			if slices.Contains(gone, child) {
				continue
			}
			heir := b.jobs[child].job
			if h := changed[child]; h != nil {
				heir = h
			}
			changed[child] = graph.Inherit(heir, dead)
		}
	}
	var list []*job.Job
	for _, child := range sortedKeys(changed) {
		list = append(list, changed[child])
	}
	return list
}

// runNow makes a run of each job, which is a matter of no slot.
func (b *Book) runNow(q mind.Request[Change]) {
	var writes []sdk.StoreOp
	var made []*run
	for _, name := range q.Change.Names {
		r := b.made(b.jobs[name], ByHand)
		r.rec.Arguments = q.Change.Arguments
		made = append(made, r)
		writes = append(writes, put(runKey(&r.rec), &r.rec))
	}
	b.post(&mind.Posting{
		Writes: writes,
		Done: func() {
			o := Outcome{At: b.now, Change: true}
			for _, r := range made {
				o.Runs = append(o.Runs, r.shown())
				b.enrol(b.entry(r.rec.Job), r)
			}
			b.decided(made)
			b.emit(mind.Reply[Outcome]{ID: q.ID, Outcome: o})
		},
		Failed: func(err *sdk.Error) {
			b.emit(mind.Reply[Outcome]{ID: q.ID, Refusal: job.Refusef(503, "The store has no room for this: %s", err.Message)})
		},
	})
}

// killAll ends the attempts that go on. It is answered when that is decided in the store.
func (b *Book) killAll(q mind.Request[Change]) {
	o := Outcome{At: b.now, Change: true}
	for _, name := range q.Change.Names {
		e := b.jobs[name]
		for _, r := range slices.Clone(e.runs) {
			if q.Change.Task == "" || string(r.rec.Task) == q.Change.Task {
				o.Runs = append(o.Runs, r.shown())
				b.stop(e, r, due.ByWish)
			}
		}
	}
	b.post(&mind.Posting{Done: func() { b.emit(mind.Reply[Outcome]{ID: q.ID, Outcome: o}) }})
}
