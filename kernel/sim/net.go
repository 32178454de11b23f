package sim

import "time"

// network is who reaches whom. Every cut is in one direction; a partition is two.
type network struct {
	w    *world
	cuts map[[2]string]time.Time // from, to: nothing arrives until then
}

// cut keeps what from sends from arriving at to.
func (n *network) cut(from, to string, d time.Duration) {
	until := n.w.now.Add(d)
	if key := [2]string{from, to}; until.After(n.cuts[key]) {
		n.cuts[key] = until
	}
}

// part cuts both ways, or one of them now and then.
func (n *network) part(a, b string, d time.Duration) {
	one := n.w.rng.IntN(10)
	if one != 0 {
		n.cut(a, b, d)
	}
	if one != 1 {
		n.cut(b, a, d)
	}
}

// reaches tells whether what from sends arrives at to.
func (n *network) reaches(from, to string) bool {
	if len(n.cuts) == 0 {
		return true
	}
	return !n.w.now.Before(n.cuts[[2]string{from, to}])
}

// heal ends all cuts.
func (n *network) heal() { clear(n.cuts) }

// clock is a process's own idea of the time: it is ahead or behind, and too fast or
// too slow. Restarting the process sets it anew, as an operator or NTP does.
type clock struct {
	w      *world
	since  time.Time
	offset time.Duration
	drift  int64 // parts of a million
}

// newClock is mostly right.
func (w *world) newClock() clock {
	c := clock{w: w, since: w.now}
	if w.calm || w.chance(50) {
		return c
	}
	c.offset = w.between(-3*time.Second, 3*time.Second)
	if w.chance(10) {
		c.offset *= 10
	}
	c.drift = w.rng.Int64N(20001) - 10000
	return c
}

// now is the time as the process reads it.
func (c *clock) now() time.Time {
	passed := c.w.now.Sub(c.since)
	return c.w.now.Add(c.offset + time.Duration(int64(passed)/1_000_000*c.drift))
}

// true is when the clock will show that time.
func (c *clock) real(shown time.Time) time.Time {
	wait := shown.Sub(c.now())
	if wait <= 0 {
		return c.w.now
	}
	// A moment late rather than early: a tick that comes before its time does nothing.
	return c.w.now.Add(wait - time.Duration(int64(wait)/1_000_000*c.drift) + time.Microsecond)
}
