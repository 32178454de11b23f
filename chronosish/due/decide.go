package due

import "time"

// Schedule is what is asked of a job's schedule: its first slot strictly after a time,
// with its number where slots are numbered (-1 where they are not); false: there is none
// any more.
type Schedule interface {
	Next(after time.Time) (slot time.Time, k int64, ok bool)
}

// Reason is why a slot was skipped: a sentence without a subject, for people.
type Reason string

// The reasons.
const (
	TooLate    Reason = "its start window had passed"
	Superseded Reason = "a later slot was due too"
	Overlap    Reason = "a run of the job still went on"
	Starved    Reason = "there were no resources for it in its start window"
	Disabled   Reason = "the job was disabled"
)

// Rules are those of the job.
type Rules struct {
	// Window is how late a slot may start; nil: of several missed slots the latest runs,
	// however late it is.
	Window *time.Duration
	// Disabled jobs have no slots.
	Disabled bool
}

// Load is what there is of the job already.
type Load struct {
	Busy bool // without a window: a run stands in the way of the next
	Room int  // with a window: how many slots more may be decided to run
}

// Skip is one slot, or several that follow each other, with the reason.
type Skip struct {
	First, Last time.Time
	Count       int64 // of slots; -1: not counted, there are too many
	Reason      Reason
}

// Decision is what Decide says.
type Decision struct {
	Run     []time.Time // slots that run, in order
	Skipped []Skip      // in order; all are before those that run, but for an overlap
	Handled time.Time   // the last slot that is dealt with now
	Next    time.Time   // the slot after that; zero: there is none, or the job is disabled
	// Exhausted: no slot will come any more.
	Exhausted bool
}

// Decide deals with the slots after handled that are due now. A slot is in its window
// when now is at most the window after it.
func Decide(now time.Time, s Schedule, handled time.Time, r Rules, l Load) Decision {
	d := Decision{Handled: handled}
	if r.Disabled {
		return d
	}
	first, k, ok := s.Next(handled)
	switch {
	case !ok:
		d.Exhausted = true
		return d
	case first.After(now):
		d.Next = first
		return d
	case r.Window == nil:
		d.latest(now, s, point{first, k}, l.Busy)
	default:
		d.window(now, s, point{first, k}, *r.Window, l.Room)
	}
	next, _, ok := s.Next(d.Handled)
	if d.Exhausted = !ok; ok {
		d.Next = next
	}
	return d
}

// latest runs the latest slot, unless a run stands in its way.
func (d *Decision) latest(now time.Time, s Schedule, first point, busy bool) {
	last := lastUntil(s, first, now)
	if last.at.After(first.at) {
		d.Skipped = append(d.Skipped, skip(s, first, lastUntil(s, first, last.at.Add(-1)), Superseded))
	}
	if d.Handled = last.at; busy {
		d.Skipped = append(d.Skipped, Skip{last.at, last.at, 1, Overlap})
		return
	}
	d.Run = append(d.Run, last.at)
}

// window runs the slots that are in their window, as many as there is room for.
func (d *Decision) window(now time.Time, s Schedule, p point, window time.Duration, room int) {
	ok := true
	if limit := now.Add(-window); p.at.Before(limit) {
		last := lastUntil(s, p, limit.Add(-1))
		d.Skipped = append(d.Skipped, skip(s, p, last, TooLate))
		d.Handled = last.at
		p.at, p.k, ok = s.Next(last.at)
	}
	for ok && !p.at.After(now) && len(d.Run) < room {
		d.Run, d.Handled = append(d.Run, p.at), p.at
		p.at, p.k, ok = s.Next(p.at)
	}
}

// Pass skips all slots after handled up to now, as when a job was disabled meanwhile;
// nil: there were none.
func Pass(now time.Time, s Schedule, handled time.Time, why Reason) *Skip {
	first, k, ok := s.Next(handled)
	if !ok || first.After(now) {
		return nil
	}
	sk := skip(s, point{first, k}, lastUntil(s, point{first, k}, now), why)
	return &sk
}

// point is a slot with its number.
type point struct {
	at time.Time
	k  int64
}

// lastUntil is the last slot that is not after limit, where first is one. It takes no
// more calls of Next than a time has bits, however many slots there are.
func lastUntil(s Schedule, first point, limit time.Time) point {
	for p := first; ; {
		at, k, ok := s.Next(p.at)
		if !ok || at.After(limit) {
			return p
		}
		p = point{at, k}
		middle := p.at.Add(limit.Sub(p.at) / 2)
		if at, k, ok = s.Next(middle); ok && !at.After(limit) {
			p = point{at, k}
		} else {
			limit = middle
		}
	}
}

// mostCounted slots are counted one by one, where they are not numbered.
const mostCounted = 1000

func skip(s Schedule, first, last point, why Reason) Skip {
	sk := Skip{First: first.at, Last: last.at, Count: 1, Reason: why}
	if first.k >= 0 && last.k > first.k {
		sk.Count += last.k - first.k
		return sk
	}
	for at, ok := first.at, true; at.Before(last.at); sk.Count++ {
		if at, _, ok = s.Next(at); !ok || sk.Count > mostCounted {
			sk.Count = -1
			return sk
		}
	}
	return sk
}
