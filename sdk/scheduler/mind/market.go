package mind

import "time"

// Market is what is to be known of the offers of one role in a subscription: it asks for
// offers where something new is due, and for none where nothing is. The zero value is how
// a subscription begins: suppressed.
type Market struct {
	open    bool      // revived, and not suppressed since
	revived time.Time // when last
	late    bool      // a revive is due, but the last one was a moment ago
}

// ReviveGap is the least time between two revives of a role: what comes in between goes
// with the next one.
const ReviveGap = 20 * time.Millisecond

// Trade gives what is to be said about the role: a Revive where tasks are due and some of
// them are fresh (no revive has been for them yet), or where the role is suppressed; a
// Suppress where none are; nil for nothing, which may be for now: see Due.
func (m *Market) Trade(now time.Time, role string, due, fresh bool) Effect {
	wanted := due && (fresh || !m.open)
	m.late = wanted && now.Before(m.revived.Add(ReviveGap))
	switch {
	case !due && m.open:
		m.open = false
		return Suppress{Role: role}
	case wanted && !m.late:
		m.open, m.revived = true, now
		return Revive{Role: role}
	}
	return nil
}

// Due is when a revive that was put off is due; zero: there is none.
func (m *Market) Due() time.Time {
	if !m.late {
		return time.Time{}
	}
	return m.revived.Add(ReviveGap)
}
