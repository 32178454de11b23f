package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Zone finds a zone by its name in the program's own zone data (Europe/Berlin), by one of
// Java's three letters (PST), or by its distance from GMT (GMT+5, GMT-03:30). nil is for ""
// and "null". Java takes an unknown name for GMT in silence; here it is refused. The zone
// of the host ("Local") and what only its zone data have are unknown, too: they differ from
// host to host.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "null" {
		return nil, nil
	}
	if name == "Z" || name == "UTC" {
		return time.UTC, nil
	}
	if at, ok := fixed(name); ok {
		return at, nil
	}
	id := name
	if long := javaID(name); long != "" {
		id = long
	}
	if in, ok := loadZone(id); ok {
		return in, nil
	}
	return nil, &Refusal{Field: "scheduleTimeZone", Message: fmt.Sprintf("%s is not known: give a name of the zone data, such as America/Los_Angeles, or UTC", shorten(name))}
}

// Zones are zones that were found, by their names. Finding one costs more than all else
// that there is to a schedule, and each takes some kilobytes. A nil one keeps none. It is
// not safe for concurrent use.
type Zones map[string]*time.Location

// Parse is Parse that finds each zone once.
func (z Zones) Parse(text, zone string, created time.Time) (*Schedule, error) {
	in, ok := z[zone]
	if !ok {
		var err error
		if in, err = Zone(zone); err != nil {
			return nil, err
		}
		if z != nil {
			z[zone] = in
		}
	}
	return parseIn(text, in, created)
}

// fixed reads GMT±h, GMT±hh and GMT±hh:mm, and the three names that are a distance and
// no place (their zone data have changed over the years).
func fixed(name string) (*time.Location, bool) {
	switch name {
	case "EST":
		return time.FixedZone(name, -5*3600), true
	case "MST":
		return time.FixedZone(name, -7*3600), true
	case "HST":
		return time.FixedZone(name, -10*3600), true
	}
	rest, ok := strings.CutPrefix(name, "GMT")
	if !ok || len(rest) < 2 || rest[0] != '+' && rest[0] != '-' {
		return nil, false
	}
	hours, minutes, colon := strings.Cut(rest[1:], ":")
	h, err := strconv.ParseUint(hours, 10, 8)
	if err != nil || len(hours) > 2 || h > 18 {
		return nil, false
	}
	var m uint64
	if colon {
		if m, err = strconv.ParseUint(minutes, 10, 8); err != nil || len(minutes) != 2 || m > 59 {
			return nil, false
		}
	}
	off := int(h*60+m) * 60
	if rest[0] == '-' {
		off = -off
	}
	return time.FixedZone(name, off), true
}

// javaID is the place that Java's short names stand for. BST is Dhaka, not London.
func javaID(short string) string {
	return map[string]string{
		"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires",
		"ART": "Africa/Cairo", "AST": "America/Anchorage", "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka",
		"CAT": "Africa/Harare", "CNT": "America/St_Johns", "CST": "America/Chicago", "CTT": "Asia/Shanghai",
		"EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris", "IET": "America/Indiana/Indianapolis",
		"IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "NET": "Asia/Yerevan",
		"NST": "Pacific/Auckland", "PLT": "Asia/Karachi", "PNT": "America/Phoenix", "PRT": "America/Puerto_Rico",
		"PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh",
	}[short]
}

// span is a stretch of time in which a zone keeps one offset, in seconds of Unix time.
type span struct {
	start, end int64 // [start, end)
	off        int64 // what is added to UTC
	before     int64 // the offset until start; off itself when start is long past
}

// forever is later than all times, and so small that offsets can be added to it.
const forever = 1 << 60

// spanAt is the span that an instant is in. A gap or an overlap is not longer than a
// day, so what was before matters only for so long.
func spanAt(in *time.Location, at int64) span {
	t := time.Unix(at, 0).In(in)
	_, off := t.Zone()
	s := span{start: -forever, end: forever, off: int64(off), before: int64(off)}
	start, end := t.ZoneBounds()
	if !end.IsZero() {
		s.end = end.Unix()
		if s.end <= at {
			// Behind the zone's table Go takes every year for one of 365 days: on the
			// last day of a leap year the end that it tells is that day's beginning.
			s.end = (at/86400 + 1) * 86400
		}
	}
	if !start.IsZero() {
		s.start = start.Unix()
		if at-s.start < 2*86400 {
			_, off := time.Unix(s.start-1, 0).In(in).Zone()
			s.before = int64(off)
		}
	}
	return s
}

// resolve is the instant at which a zone's clock shows a local time, given as the
// seconds that UTC would have. A time in a gap is moved on by the gap's length, which is
// to read it with the offset before; of a time that is shown twice the first counts.
func resolve(in *time.Location, local int64) int64 {
	const farthest = 86400 // no zone is a day away from UTC
	before := span{}
	for at := local - farthest; ; {
		s := spanAt(in, at)
		switch t := local - s.off; {
		case at > local-farthest && t < s.start:
			return local - before.off
		case t < s.end:
			return t
		}
		before, at = s, s.end
	}
}
