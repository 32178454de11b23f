package sim

import (
	"bytes"
	"time"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
)

// release is what a master's program understands: the newest versions of the commands of
// registry and store.
type release struct{ command, store uint32 }

func newest() release { return release{registry.CommandVersion, store.CommandVersion} }

// releases are those with which the masters begin: in many runs one or two of them are
// older, and are upgraded when some time has passed.
func (w *world) releases() []release {
	list := make([]release, w.opt.Masters)
	for i := range list {
		list[i] = newest()
	}
	if w.chance(50) {
		return list
	}
	old := release{registry.CommandVersion - 1, store.CommandVersion}
	if store.CommandVersion > 1 && w.chance(50) {
		old.store--
	}
	for _, i := range w.rng.Perm(len(list))[:min(len(list), 1+w.rng.IntN(2))] {
		list[i] = old
		w.at(w.between(time.Second, w.opt.Length), "an upgrade", func() { w.upgrade(w.masters[i]) })
	}
	return list
}

// upgrade starts a master anew, with the newest program.
func (w *world) upgrade(m *master) {
	if m.release == newest() {
		return // all of them were, before a restore
	}
	w.note("%s is upgraded", m.name)
	m.release = newest()
	w.interrupt(m, 200*time.Millisecond, 20*time.Second)
}

// membersOf is what masters of these releases tell of themselves.
func membersOf(releases []release) []registry.Member {
	var list []registry.Member
	for i, r := range releases {
		list = append(list, r.member(masterName(i)))
	}
	return list
}

func (r release) member(name string) registry.Member {
	return registry.Member{Name: name, Command: r.command, Store: r.store}
}

// rebornOn are the releases of the masters that a state is restored on: as they were, unless
// one of them is too old for it. Then the upgrade is finished first (see RestorableFrom of
// kernel/consensus).
func (w *world) rebornOn(reg *registry.State) []release {
	list, fit := make([]release, len(w.masters)), true
	for i, m := range w.masters {
		list[i] = m.release
		fit = fit && m.release.command >= max(4, reg.ReadableSince()) && m.release.store >= 2
	}
	for i := range list {
		if !fit {
			list[i] = newest()
		}
	}
	return list
}

// told tells whether the registry, as far as a master has it, knows what m understands.
func (m *master) told(of *master) bool {
	for _, known := range m.reg.Members() {
		if known == of.release.member(of.name) {
			return true
		}
	}
	return false
}

// introduce tells the leader what the master understands, until the registry has it.
func (m *master) introduce() {
	if m.told(m) {
		return
	}
	m.soon(100*time.Millisecond, time.Second, "has something to tell", func() {
		if to := m.hint; to == m {
			m.write(m)
		} else if to != nil {
			m.carry(to, "what it understands", func() { to.write(m) })
		}
		m.introduce()
	})
}

// write puts into the log what a master understands, if it leads. It is nothing that its
// mind has to do with.
func (m *master) write(of *master) {
	if l := m.leading(); l != nil && !m.told(of) {
		told := of.release.member(of.name)
		m.propose(l, &registry.Command{Type: registry.CommandMember, Time: m.clock.now().UnixNano(), Member: &told}, nil, func(applied) {}, func(error) {})
	}
}

// lower has a command written as the oldest member understands it, as kernel/consensus
// does.
func (m *master) lower(reg *registry.Command, st *store.Command) {
	if reg != nil {
		reg.Version = min(m.release.command, m.reg.CommonVersion())
	}
	if st != nil {
		st.Version = min(m.release.store, m.reg.CommonStore())
	}
}

// understand looks at an entry that a master is to apply.
func (m *master) understand(index uint64, e *entry) {
	if e.reg != nil && e.reg.Version > m.release.command {
		m.w.fail("%s understands registry commands up to version %d, at index %d is one of version %d", m.name, m.release.command, index, e.reg.Version)
	}
	if e.store != nil && e.store.Version > m.release.store {
		m.w.fail("%s understands store commands up to version %d, at index %d is one of version %d", m.name, m.release.store, index, e.store.Version)
	}
}

// mirrorEvery is after how many commits of a leader it is looked at its mirror.
const mirrorEvery = 32

// mirrored: what a leader's mind believes of the registry is what its master has applied,
// save for what the mind has nothing to do with: the members, and the index of what was
// refused.
func (l *leader) mirrored() {
	is := l.m.reg
	mirror := l.mirror.Reborn(is.Generation(), is.Members())
	mirror.Apply(is.Index(), registry.Command{})
	believed, err := mirror.Snapshot()
	if err != nil {
		l.w.fail("%s: its mirror can not be written: %v", l.name, err)
	}
	if known, err := is.Snapshot(); err != nil || !bytes.Equal(believed, known) {
		l.w.fail("%s believes in another registry than there is at index %d (%v)", l.name, is.Index(), err)
	}
}
