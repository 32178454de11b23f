package schedule

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// parseInterval reads R[n]/[start]/period. The zone that it gives is the job's, or the
// start's own offset, or UTC.
func parseInterval(text string, zone *time.Location, created time.Time) (*interval, *time.Location, error) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return nil, nil, refuse("%s is no repeating interval: it must have the form R[n]/[start]/period, such as R5/2026-01-31T02:30:00Z/P1D", shorten(text))
	}
	count, err := repetitions(parts[0])
	if err != nil {
		return nil, nil, err
	}
	length, err := parsePeriod(parts[2])
	if err != nil {
		return nil, nil, refuse("%s: %v", shorten(text), err)
	}
	if length.zero() && count != 0 && count != 1 {
		return nil, nil, refuse("%s has a period of no length, which only R1 and R0 may have", shorten(text))
	}
	v := &interval{count: count, period: length}
	if parts[1] == "" {
		v.startNow(zone, created)
	} else if err := v.startAt(parts[1], zone); err != nil {
		return nil, nil, err
	}
	if v.first < earliest || v.first > lastMS {
		return nil, nil, refuse("%s starts at %s: a start must lie between 1970-01-01T00:00:01Z and the end of the year 9999", shorten(text), time.UnixMilli(v.first).UTC().Format(time.RFC3339))
	}
	return v, v.zone, nil
}

// repetitions reads R, R0, R1 and so on; -1 is without a bound.
func repetitions(text string) (int64, error) {
	n, ok := strings.CutPrefix(text, "R")
	if ok && n == "" {
		return -1, nil
	}
	for _, c := range []byte(n) {
		ok = ok && c >= '0' && c <= '9'
	}
	if !ok {
		return 0, refuse("starts with %s: it must start with R (for ever) or R and how often it runs, as in R5", shorten(text))
	}
	count, err := strconv.ParseInt(n, 10, 64)
	if err != nil {
		return 0, refuse("starts with %s: so many repetitions cannot be counted; R runs for ever", shorten(text))
	}
	return count, nil
}

// startNow anchors the interval at an instant, in whole milliseconds.
func (v *interval) startNow(zone *time.Location, created time.Time) {
	if zone == nil {
		zone = time.UTC
	}
	v.zone, v.first = zone, millis(created)
	_, off := time.UnixMilli(v.first).In(zone).Zone()
	local := v.first + int64(off)*1000
	v.day = floorDiv(local, dayMS)
	v.inDay = local - v.day*dayMS
}

// startForm is a date, a time on it, an offset from UTC: all that a start may be.
var startForm = regexp.MustCompile(`^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$`)

// startAt anchors the interval at a written time. With a zone its fields are read on
// that zone's clock, whatever offset stands behind them; that is what Chronos does.
func (v *interval) startAt(text string, zone *time.Location) error {
	m := startForm.FindStringSubmatch(text)
	if m == nil {
		return refuse("has the start %s: it must have the form 2026-01-31T02:30:00Z, with an offset such as +01:00, or be a date, or empty for now", shorten(text))
	}
	f := [7]int64{}
	for i := range 6 {
		f[i] = digits(m[i+1])
	}
	f[6] = thousandths(m[7])
	month := time.Month(f[1])
	switch {
	case f[0] < 1970:
		return refuse("has the start %s: years reach from 1970 to 9999", shorten(text))
	case f[1] < 1 || f[1] > 12 || f[2] < 1 || f[2] > int64(daysIn(int(f[0]), month)):
		return refuse("has the start %s: there is no such day", shorten(text))
	case f[3] > 23 || f[4] > 59 || f[5] > 59:
		return refuse("has the start %s: there is no such time of the day, which reaches from 00:00:00 to 23:59:59", shorten(text))
	}
	own, ok := offset(m[8])
	if !ok {
		return refuse("has the start %s: no offset from UTC is larger than 18 hours", shorten(text))
	}
	if v.zone = zone; zone == nil {
		v.zone = own
	}
	v.day = time.Date(int(f[0]), month, int(f[2]), 0, 0, 0, 0, time.UTC).Unix() / 86400
	v.inDay = ((f[3]*60+f[4])*60+f[5])*1000 + f[6]
	v.first = resolve(v.zone, v.day*86400+v.inDay/1000)*1000 + f[6]
	return nil
}

// offset reads Z, ±hh, ±hhmm, ±hh:mm; nothing is UTC, as the host's zone says nothing.
func offset(text string) (*time.Location, bool) {
	if text == "" || text == "Z" {
		return time.UTC, true
	}
	n := strings.ReplaceAll(text[1:], ":", "")
	h, m := digits(n[:2]), digits(n[2:])
	off := (h*60 + m) * 60
	if off > 18*3600 || m > 59 {
		return nil, false
	}
	if text[0] == '-' {
		off = -off
	}
	if off == 0 {
		return time.UTC, true
	}
	return time.FixedZone("", int(off)), true
}
