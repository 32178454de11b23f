package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
)

// Between masters: what stands in the log. The leader sends its whole log, which is
// one slice that nobody changes; a follower takes it for its own.

// rule is what a leader keeps of its leadership.
type rule struct {
	entry    *entry // its first one
	match    map[string]uint64
	seen     map[string]time.Time
	acked    map[string]uint64 // newest round that was answered
	round    uint64
	waiting  []confirmation
	sending  bool
	patience time.Duration // without a majority, until it steps down
}

// confirmation waits for a majority to answer a round.
type confirmation struct {
	round uint64
	do    func(leads bool)
}

const (
	heartbeatEvery = 400 * time.Millisecond
	patience       = 2 * time.Second
)

// reign begins a leadership. Its mind begins when its first entry is applied.
func (m *master) reign() {
	w := m.w
	key := [2]uint64{m.reg.Generation(), m.term}
	if other := w.reigns[key]; other != "" {
		w.fail("%s and %s lead both in term %d", other, m.name, m.term)
	}
	w.reigns[key] = m.name
	m.role, m.hint, m.log = ruling, m, slices.Clone(m.log) // only it appends to this slice
	m.rule = &rule{entry: &entry{term: m.term}, match: map[string]uint64{}, seen: map[string]time.Time{}, acked: map[string]uint64{}, patience: patience}
	if !w.calm && w.chance(30) { // stopped processes, slow clocks
		m.rule.patience = w.between(5*time.Second, 40*time.Second)
	}
	for _, o := range m.others() {
		m.rule.seen[o.name] = w.now
	}
	m.append(m.rule.entry)
	m.heartbeat(m.rule)
}

// append puts an entry at the end of the log, and has it sent.
func (m *master) append(e *entry) {
	m.log = append(m.log, e)
	m.send()
	m.decide()
}

// send has the log sent in a moment.
func (m *master) send() {
	r := m.rule
	if r.sending {
		return
	}
	r.sending = true
	m.soon(0, 3*time.Millisecond, "sends its log", func() {
		if m.rule == r {
			r.sending = false
			m.broadcast()
		}
	})
}

func (m *master) broadcast() {
	r := m.rule
	r.round++
	round, term, log, base, commit, snap := r.round, m.term, m.log, m.base, m.commit, m.snap
	for _, o := range m.others() {
		m.carry(o, fmt.Sprintf("log %d", m.last()), func() { o.take(m, round, term, log, base, commit, snap) })
	}
}

// heartbeat says again and again that it leads, and ends when nobody hears it.
func (m *master) heartbeat(r *rule) {
	m.soon(heartbeatEvery, heartbeatEvery, "leads still", func() {
		if m.rule != r {
			return
		}
		heard := 1
		for _, o := range m.others() {
			if m.w.now.Sub(r.seen[o.name]) < r.patience {
				heard++
			}
		}
		if heard < m.majority() && !m.retired {
			m.stepDown("nobody hears it", false)
			return
		}
		m.send()
		m.heartbeat(r)
	})
}

// take follows a leader's log.
func (m *master) take(from *master, round, term uint64, log []*entry, base, commit uint64, snap snapshot) {
	m.learn(term)
	took := term == m.term
	if took {
		m.role, m.hint, m.heard = follower, from, m.w.now
		if len(log) > 0 && (m.lastTerm() != log[len(log)-1].term || base+uint64(len(log)) >= m.last()) {
			m.log, m.base = log, base
		}
		m.commit = max(m.commit, min(commit, m.last()))
		m.catchUp()
	}
	mine, match := m.term, m.last()
	m.carry(from, "it has the log", func() {
		from.learn(mine)
		if r := from.rule; took && r != nil && from.term == term {
			r.seen[m.name] = m.w.now
			r.match[m.name] = max(r.match[m.name], match)
			r.acked[m.name] = max(r.acked[m.name], round)
			from.decide()
			from.confirmed()
			from.takeIn(m)
		}
	})
}

// takeIn gives a vote to a master that lost its disk, when it has all again.
func (m *master) takeIn(o *master) {
	if r := m.rule; !o.voter && m.lead != nil && r.match[o.name] >= m.commit {
		o.voter = true
		if o.voted == "" {
			o.voted = m.name
		}
		m.w.note("%s has a vote again", o.name)
	}
}

// decide commits what a majority has.
func (m *master) decide() {
	if m.rule == nil {
		return
	}
	before := m.commit
	for i := m.last(); i > m.commit && m.log[i-m.base-1].term == m.term; i-- {
		have := 0
		if m.voter {
			have++
		}
		for _, o := range m.others() {
			if o.voter && m.rule.match[o.name] >= i {
				have++
			}
		}
		if have >= m.majority() {
			m.commit = i
			break
		}
	}
	if m.commit > before {
		m.catchUp()
	}
}

// confirm asks a majority whether it leads still.
func (m *master) confirm(do func(leads bool)) {
	if m.rule == nil {
		do(false)
		return
	}
	m.rule.waiting = append(m.rule.waiting, confirmation{m.rule.round + 1, do})
	m.send()
	m.confirmed()
}

func (m *master) confirmed() {
	r := m.rule
	if r == nil {
		return
	}
	var ready []confirmation
	kept := r.waiting[:0]
	for _, x := range r.waiting {
		have := 1
		for _, o := range m.others() {
			if o.voter && r.acked[o.name] >= x.round {
				have++
			}
		}
		if have >= m.majority() {
			ready = append(ready, x)
		} else {
			kept = append(kept, x)
		}
	}
	r.waiting = kept
	for _, x := range ready {
		x.do(true)
	}
}

// proposeTimeout is after how long a proposal's fate is unknown.
const proposeTimeout = 5 * time.Second

// propose takes a command to the replicated log for a leader. answer is called where
// it is applied; unknown when that is not known in time.
func (m *master) propose(l *leader, reg *registry.Command, st *store.Command, answer func(applied), unknown func(error)) {
	if m.rule == nil || m.lead != l {
		unknown(fmt.Errorf("leadership lost"))
		return
	}
	m.lower(reg, st)
	done := false
	e := &entry{term: m.term, by: l, reg: reg, store: st, answer: func(a applied) {
		if !done {
			done = true
			answer(a)
		}
	}}
	limit := proposeTimeout
	if !m.w.calm && m.w.rng.IntN(400) == 0 {
		m.w.result.Faults++
		limit = m.w.between(0, 20*time.Millisecond)
	}
	m.soon(limit, limit, "waits for a proposal", func() {
		if !done {
			done = true
			unknown(fmt.Errorf("timeout"))
		}
	})
	m.append(e)
}
