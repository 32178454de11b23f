package sim

import (
	"bytes"
	"fmt"
	"time"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
)

// entry is one place of the replicated log. It never changes.
type entry struct {
	term   uint64
	by     *leader // whose proposal it is; nil: the beginning of a leadership
	reg    *registry.Command
	store  *store.Command
	answer func(applied) // for by, where it is applied; nil for nobody
}

// applied is what an entry has brought about.
type applied struct {
	reg   registry.Result
	store store.Result
}

// snapshot is a master's state on disk as of an index.
type snapshot struct {
	index           uint64
	registry, store []byte
}

// master is one master: a disk with a log, and a process, which comes and goes. What
// it does between masters is raft, as simple as one can write it: see ballot.go and
// replicate.go.
type master struct {
	w    *world
	name string

	// On disk.
	disk  int // counts the disks: what was said for an earlier one does not count
	term  uint64
	voted string
	log   []*entry // from the index base+1
	base  uint64
	snap  snapshot
	voter bool // false after a lost disk, until a leader takes it in again

	release release // of its program
	retired bool    // of a cluster that was replaced: nobody hears it

	// Of the process.
	up      bool
	life    int
	clock   clock
	role    role
	hint    *master // who leads, as far as it knows
	heard   time.Time
	reg     *registry.State
	spaces  *store.State
	applied uint64
	commit  uint64
	votes   map[string]bool
	rule    *rule   // nil: it does not lead
	lead    *leader // nil: it has no mind
}

type role int

const (
	follower role = iota
	candidate
	ruling
)

// newMaster is one with a cluster's first state.
func newMaster(w *world, i int, first snapshot, r release) *master {
	return &master{w: w, name: masterName(i), base: first.index, snap: first, voter: true, release: r}
}

func masterName(i int) string { return fmt.Sprintf("master %d", i+1) }

func (m *master) last() uint64 { return m.base + uint64(len(m.log)) }

func (m *master) lastTerm() uint64 {
	if len(m.log) == 0 {
		return 0
	}
	return m.log[len(m.log)-1].term
}

// start is a new process: it reads its snapshot, and hears from a leader what of its
// log is committed.
func (m *master) start() {
	if m.up {
		return
	}
	m.up, m.role, m.hint, m.heard, m.votes = true, follower, nil, m.w.now, nil
	m.clock = m.w.newClock()
	var err error
	if m.reg, err = registry.Restore(m.snap.registry); err != nil {
		m.w.fail("%s: its snapshot: %v", m.name, err)
	}
	if m.spaces, err = store.Restore(bytes.NewReader(m.snap.store)); err != nil {
		m.w.fail("%s: its snapshot: %v", m.name, err)
	}
	if m.reg.ReadableSince() > m.release.command {
		m.w.fail("%s understands version %d, its snapshot is for those from %d on", m.name, m.release.command, m.reg.ReadableSince())
	}
	m.applied, m.commit = m.snap.index, m.snap.index
	m.introduce()
	m.watchElection()
}

// crash ends the process.
func (m *master) crash() {
	if !m.up {
		return
	}
	m.up = false
	m.life++
	m.stepDown("it crashes", true)
	m.role = follower
}

// wipe loses the disk. It comes back as a fresh one, which has no vote until a leader
// takes it in.
func (m *master) wipe() {
	m.disk++
	m.term, m.voted, m.log, m.base, m.snap, m.voter = 0, "", nil, m.w.first.index, m.w.first, false
}

// soon does something in this life of the process.
func (m *master) soon(low, high time.Duration, what string, do func()) {
	life := m.life
	m.w.after(m.w.between(low, high), m.name+" "+what, func() {
		if m.up && m.life == life {
			do()
		}
	})
}

// snapshotEvery is after how many entries a master writes its state down.
const snapshotEvery = 500

// catchUp applies what is committed.
func (m *master) catchUp() {
	for m.applied < min(m.commit, m.last()) {
		e := m.log[m.applied-m.base]
		m.applied++
		m.w.agree(m, m.applied, e)
		m.understand(m.applied, e)
		var done applied
		if e.reg != nil {
			done.reg = m.reg.Apply(m.applied, *e.reg)
		}
		if e.store != nil {
			done.store = m.spaces.Apply(m.applied, *e.store)
		}
		if m.applied%snapshotEvery == 0 {
			m.save()
		}
		m.w.observe(m.applied, e, done)
		switch {
		case e.by == nil && m.rule != nil && m.rule.entry == e:
			m.begin()
		case m.lead != nil:
			m.lead.observe(done)
			if e.by == m.lead && e.answer != nil {
				e.answer(done)
			}
		}
	}
}

// save writes a snapshot. What others have at the same index must be the same.
func (m *master) save() {
	m.snap = m.w.image(m.applied, m.reg, m.spaces)
	if known, ok := m.w.images[m.applied]; !ok {
		m.w.images[m.applied] = m.snap
	} else if !bytes.Equal(known.registry, m.snap.registry) || !bytes.Equal(known.store, m.snap.store) {
		m.w.fail("%s has another state than others at index %d", m.name, m.applied)
	} else {
		m.snap = known
	}
}

func (w *world) image(index uint64, reg *registry.State, spaces *store.State) snapshot {
	r, err := reg.Snapshot()
	if err != nil {
		w.fail("the registry can not be written: %v", err)
	}
	var s bytes.Buffer
	if err := spaces.Image().Write(&s); err != nil {
		w.fail("the store can not be written: %v", err)
	}
	return snapshot{index: index, registry: r, store: s.Bytes()}
}

// agree: what is committed at an index is the same for all, for ever.
func (w *world) agree(m *master, index uint64, e *entry) {
	if known := w.committed[index]; known == nil {
		w.committed[index] = e
	} else if known != e {
		w.fail("%s applies another command at index %d than others have", m.name, index)
	}
}

// observe sees every command once, in the order of the log, when the first master
// applies it.
func (w *world) observe(index uint64, e *entry, done applied) {
	if index <= w.observed {
		return
	}
	w.observed = index
	if e.reg != nil && done.reg.Err == nil {
		w.observeAgent(e.reg, done.reg)
	}
	if e.store == nil || done.store.Err != nil || len(done.store.Changes.List) == 0 {
		return
	}
	w.note("store %d %s:%s", index, e.store.Space.Name, showChanges(done.store.Changes.List))
	for _, p := range w.programs {
		if e.store.Space.Name == p.f.Name() {
			p.keep(e.store, done.store.Changes)
			p.check(p.f.Stored(done.store.Changes.List))
		}
	}
}

// leading is its leadership, if it has one as far as it knows.
func (m *master) leading() *leader {
	if m.up && m.lead != nil && !m.lead.dead {
		return m.lead
	}
	return nil
}

// freshest is the master whose disk has all that was ever acknowledged.
func (w *world) freshest() *master {
	var best *master
	for _, m := range w.masters {
		if !m.voter {
			continue
		}
		if best == nil || m.lastTerm() > best.lastTerm() || m.lastTerm() == best.lastTerm() && m.last() > best.last() {
			best = m
		}
	}
	return best
}

// bootstrap is the state in which all masters begin.
func (w *world) bootstrap() {
	reg := registry.New()
	reg.Apply(1, registry.Command{Type: registry.CommandBootstrap, Bootstrap: &registry.Bootstrap{ClusterID: "sim", Name: "sim"}})
	releases := w.releases()
	for i, told := range membersOf(releases) {
		reg.Apply(uint64(i+2), registry.Command{Type: registry.CommandMember, Member: &told})
	}
	w.first = w.image(uint64(w.opt.Masters+1), reg, store.New())
	for i, r := range releases {
		m := newMaster(w, i, w.first, r)
		w.masters = append(w.masters, m)
		w.after(0, m.name+" starts", m.start)
	}
}

// rebirth replaces all masters by fresh ones that a snapshot was restored on, as
// kernel/consensus does: raft's term begins anew, generation and revisions are higher than
// any before, and the leases are gone. A leader of the former ones may go on for a while.
func (w *world) rebirth() {
	from := w.freshest()
	reg, err := registry.Restore(from.snap.registry)
	if err != nil {
		w.fail("the saved registry: %v", err)
		return
	}
	spaces, err := store.Restore(bytes.NewReader(from.snap.store))
	if err != nil {
		w.fail("the saved store: %v", err)
		return
	}
	for i := from.snap.index; i < from.last(); i++ {
		e := from.log[i-from.base]
		w.agree(from, i+1, e)
		var done applied
		if e.reg != nil {
			done.reg = reg.Apply(i+1, *e.reg)
		}
		if e.store != nil {
			done.store = spaces.Apply(i+1, *e.store)
		}
		w.observe(i+1, e, done)
	}
	w.former = nil
	for _, m := range w.masters {
		if l := m.leading(); l != nil && w.chance(50) {
			m.retired = true // it hears of nobody any more, and goes on
			w.former = append(w.former, m)
			w.after(w.between(time.Second, 40*time.Second), m.name+" of the former cluster ends", m.crash)
			continue
		}
		m.crash()
	}
	restores, releases := w.newClock(), w.rebornOn(reg)
	born, floor := registry.Rebirth(restores.now(), reg.Generation(), from.last())
	after := spaces.Reborn(floor)
	w.first = w.image(floor, reg.Reborn(born, membersOf(releases)), after)
	w.reborn(spaces, after, floor)
	w.masters = nil
	for i, r := range releases {
		m := newMaster(w, i, w.first, r)
		w.masters = append(w.masters, m)
		w.after(w.between(0, 3*time.Second), m.name+" starts on a snapshot", m.start)
	}
}

// reborn looks at what a restore has made of the store, and notes which keys are gone:
// those that were attached to leases, and no others.
func (w *world) reborn(before, after *store.State, floor uint64) {
	if leases := after.Leases(); len(leases) > 0 || floor <= w.observed || floor <= w.acknowledged {
		w.fail("restored at revision %d with %d leases; %d was seen and %d answered before", floor, len(leases), w.observed, w.acknowledged)
	}
	for _, p := range w.programs {
		space := store.Space{Principal: p.f.Name(), Name: p.f.Name()}
		for _, kv := range before.List(space, "") {
			_, left := after.Get(space, kv.Key)
			if left != (kv.Lease == "") {
				w.fail("after a restore the key %s of %s is there: %t; it was held by the lease %q", kv.Key, space.Name, left, kv.Lease)
			}
			if !left {
				p.kept[kv.Key] = stored{revision: floor, deleted: true}
			}
		}
	}
}
