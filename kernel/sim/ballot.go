package sim

import "time"

// Between masters: who leads. All of it is raft's, with one message for each step.

const (
	electionAfter = 1500 * time.Millisecond // of silence
	electionLook  = 1200 * time.Millisecond // between two looks, and half of it at random
)

func (m *master) others() []*master {
	if m.retired {
		return nil
	}
	var list []*master
	for _, o := range m.w.masters {
		if o != m {
			list = append(list, o)
		}
	}
	return list
}

// carry brings a message to another master: late, out of order, twice, or not at all.
func (m *master) carry(to *master, what string, do func()) {
	w := m.w
	times := 1
	if !w.calm {
		switch r := w.rng.IntN(400); {
		case r == 0:
			return
		case r < 4:
			times = 2
		}
	}
	from, into := m.disk, to.disk
	for range times {
		late := w.between(time.Millisecond, 12*time.Millisecond)
		if !w.calm && w.chance(2) {
			late = w.between(20*time.Millisecond, 400*time.Millisecond)
		}
		w.after(late, m.name+" to "+to.name+": "+what, func() {
			if to.up && !to.retired && !m.retired && m.disk == from && to.disk == into && w.net.reaches(m.name, to.name) {
				do()
			}
		})
	}
}

// majority is how many voters must agree; those without a vote still count as members.
func (m *master) majority() int { return m.w.opt.Masters/2 + 1 }

// watchElection looks from time to time whether somebody leads.
func (m *master) watchElection() {
	m.soon(electionLook, electionLook*3/2, "looks for a leader", func() {
		if m.role != ruling && m.w.now.Sub(m.heard) > electionAfter && m.voter && !m.retired {
			m.campaign()
		}
		m.watchElection()
	})
}

// campaign asks for votes in a new term.
func (m *master) campaign() {
	m.term++
	m.role, m.voted, m.hint, m.votes = candidate, m.name, nil, map[string]bool{m.name: true}
	term, lastTerm, last := m.term, m.lastTerm(), m.last()
	for _, o := range m.others() {
		m.carry(o, "a vote?", func() { o.vote(m, term, lastTerm, last) })
	}
	m.count()
}

// vote answers a candidate.
func (m *master) vote(c *master, term, lastTerm, last uint64) {
	if m.role == ruling || m.w.now.Sub(m.heard) < electionAfter*2/3 {
		return // somebody leads
	}
	m.learn(term)
	fresh := lastTerm > m.lastTerm() || lastTerm == m.lastTerm() && last >= m.last()
	given := m.voter && term == m.term && fresh && (m.voted == "" || m.voted == c.name)
	if given {
		m.voted = c.name
	}
	mine := m.term
	m.carry(c, "a vote", func() {
		c.learn(mine)
		if given && c.role == candidate && c.term == term {
			c.votes[m.name] = true
			c.count()
		}
	})
}

func (m *master) count() {
	if m.role == candidate && len(m.votes) >= m.majority() {
		m.reign()
	}
}

// learn takes note of a newer term.
func (m *master) learn(term uint64) {
	if term > m.term {
		m.stepDown("there is a newer term", false)
		m.term, m.voted, m.role = term, "", follower
	}
}

// stepDown ends its leadership.
func (m *master) stepDown(why string, crashed bool) {
	if m.rule == nil {
		return
	}
	m.role, m.heard = follower, m.w.now
	waiting := m.rule.waiting
	m.rule = nil
	if m.lead != nil {
		l := m.lead
		m.lead = nil
		l.lose(why, crashed)
	}
	for _, x := range waiting {
		x.do(false)
	}
}
