package schedule

import (
	"math/bits"
	"time"
)

// cron is a cron expression as sets of the values that each field allows: bit n stands
// for n.
type cron struct {
	second, minute, hour, day, month, weekday uint64

	// eitherDay tells that a day is right if the day of the month or the weekday is: so
	// it is when neither field has a star.
	eitherDay bool
	zone      *time.Location
}

// everyHour tells whether the expression goes by the hours that really pass.
func (c *cron) everyHour() bool { return c.hour == 1<<24-1 }

// after is the first slot later than an instant, in seconds of Unix time. It goes
// through the spans of the zone in which a slot may be: to find one costs as much if it
// is years away.
func (c *cron) after(sec int64) (int64, bool) {
	for at := sec + 1; ; {
		s := spanAt(c.zone, at)
		local := at + s.off
		found, more := int64(forever), false
		if c.everyHour() {
			s.before = s.off
		}
		if s.before > s.off { // what the clock has shown before the overlap has run
			local = max(local, s.start+s.before)
		}
		next, ok := c.match(local)
		if ok && next < s.end+s.off {
			found, more = next-s.off, true
		}
		if s.before < s.off { // what the clock has left out runs after the gap
			if left, ok := c.match(at + s.before); ok && left < s.start+s.off {
				found, more = min(found, left-s.before), true
			}
		}
		switch {
		case more:
			return found, found <= lastMS/1000
		case !ok || s.end == forever:
			return 0, false
		}
		at = max(s.end, next-2*86400)
	}
}

// match is the first local time, not before one, that the fields allow.
func (c *cron) match(local int64) (int64, bool) {
	day := floorDiv(local, 86400)
	y, m, d := time.Unix(day*86400, 0).UTC().Date()
	days := c.days(y, m)
	if days>>uint(d)&1 == 1 {
		if t, ok := c.inDay(local - day*86400); ok {
			return day*86400 + t, true
		}
	}
	days &^= 1<<(uint(d)+1) - 1
	first := day - int64(d) // the day before the month's first
	for days == 0 {
		first += int64(daysIn(y, m))
		if m++; m > time.December {
			if m, y = time.January, y+1; y > 9999 {
				return 0, false
			}
		}
		days = c.days(y, m)
	}
	t, ok := c.inDay(0)
	return (first+int64(bits.TrailingZeros64(days)))*86400 + t, ok
}

// days are the days of a month that the fields allow, as a set.
func (c *cron) days(year int, month time.Month) uint64 {
	if c.month>>uint(month)&1 == 0 {
		return 0
	}
	whole := uint64(1)<<(daysIn(year, month)+1) - 2 // days 1 to the last
	first := uint(time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Weekday())
	week := (c.weekday>>first | c.weekday<<(7-first)) & 0x7f // bit 0 is the month's first day
	weekdays := (week | week<<7 | week<<14 | week<<21 | week<<28) << 1
	if c.eitherDay {
		return (c.day | weekdays) & whole
	}
	return c.day & weekdays & whole
}

// inDay is the first second of a day, not before one, that the fields allow.
func (c *cron) inDay(sec int64) (int64, bool) {
	h, m, s := sec/3600, sec/60%60, sec%60
	first := func(set uint64, from int64) (int64, bool) {
		n := int64(bits.TrailingZeros64(set >> uint(from) << uint(from)))
		return n, n < 64
	}
	hour, ok := first(c.hour, h)
	if !ok {
		return 0, false
	}
	if hour > h {
		m, s = 0, 0
	}
	minute, ok := first(c.minute, m)
	if ok {
		if minute > m {
			s = 0
		}
		second, ok := first(c.second, s)
		if ok {
			return hour*3600 + minute*60 + second, true
		}
		minute, _ = first(c.minute, minute+1)
	}
	if !ok || minute > 59 {
		if hour, ok = first(c.hour, hour+1); !ok {
			return 0, false
		}
		minute, _ = first(c.minute, 0)
	}
	second, ok := first(c.second, 0)
	return hour*3600 + minute*60 + second, ok
}
