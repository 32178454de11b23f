package schedule

import (
	"strings"
	"time"
)

// Schedule is when a job runs: instants in whole milliseconds, strictly ascending,
// none after the year 9999. It is immutable.
type Schedule struct {
	text string
	zone *time.Location
	iso  *interval // exactly one of iso and cron
	cron *cron
}

// maxText is how many bytes a schedule may have: six cron fields that list every value
// fit in.
const maxText = 1024

// Parse reads a schedule: R[n]/[start]/period, five or six cron fields, or a macro such
// as @daily or @every 90s. zone is the job's zone; "" (and "null", which Chronos 2
// writes) is none. created is when the job was accepted: an empty start and @every
// count from there, in whole milliseconds and whole seconds. The error is a sentence
// for people that says what is wrong where. Whoever reads many schedules has Zones.
func Parse(text, zone string, created time.Time) (*Schedule, error) {
	return Zones(nil).Parse(text, zone, created)
}

func parseIn(text string, zone *time.Location, created time.Time) (*Schedule, error) {
	if len(text) > maxText {
		return nil, refuse("has %d bytes; at most %d are allowed", len(text), maxText)
	}
	s := &Schedule{text: strings.TrimSpace(text), zone: zone}
	var err error
	switch {
	case s.text == "":
		return nil, refuse(`is empty: give a repeating interval such as R/2026-01-31T02:30:00Z/P1D, or cron fields such as "30 2 * * *"`)
	case s.text[0] == 'R' || s.text[0] == 'r' || s.text[0] == 'P':
		s.iso, s.zone, err = parseInterval(s.text, zone, created)
	default:
		err = s.parseCron(created)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Next is the first slot strictly after a time. k is its number: for an interval the
// repetitions before it (if several fall on the same instant, before the last of them),
// so that k+1 are used up once it is handled; for cron fields -1. It is false when
// there is none any more.
func (s *Schedule) Next(after time.Time) (slot time.Time, k int64, ok bool) {
	if s.iso != nil {
		ms, k, ok := s.iso.after(millis(after))
		if !ok {
			return time.Time{}, 0, false
		}
		return time.UnixMilli(ms).UTC(), k, true
	}
	sec, ok := s.cron.after(floorDiv(millis(after), 1000))
	if !ok {
		return time.Time{}, 0, false
	}
	return time.Unix(sec, 0).UTC(), -1, true
}

// Slots are the first slots in (from, to], at most limit of them.
func (s *Schedule) Slots(from, to time.Time, limit int) []time.Time {
	var out []time.Time
	for len(out) < limit {
		slot, _, ok := s.Next(from)
		if !ok || slot.After(to) {
			break
		}
		out, from = append(out, slot), slot
	}
	return out
}

// Repetitions is how many slots there are in all, or -1 without a bound.
func (s *Schedule) Repetitions() int64 {
	if s.iso != nil {
		return s.iso.count
	}
	return -1
}

// NeverFires tells whether no slot is at or after now.
func (s *Schedule) NeverFires(now time.Time) bool {
	_, _, ok := s.Next(time.UnixMilli(millis(now.Add(time.Millisecond-1)) - 1))
	return !ok
}

// Chronos writes the schedule as Chronos shows it once consumed repetitions are used
// up: those that are left, the next start with milliseconds and offset, the period.
// Cron fields and macros stay as they were given.
func (s *Schedule) Chronos(consumed int64) string {
	if s.iso == nil || s.iso.every {
		return s.text
	}
	return s.iso.chronos(max(consumed, 0), s.zone)
}

// String is the schedule as it was given.
func (s *Schedule) String() string { return s.text }

// The bounds of what is computed, in milliseconds of Unix time.
const (
	dayMS    = 24 * 60 * 60 * 1000
	lastMS   = 253402300799999 // 9999-12-31T23:59:59.999Z
	earliest = 1000            // Chronos refuses a start before 1970-01-01T00:00:01Z
)

// millis are the whole milliseconds since 1970, rounded down; years that have no slots
// are cut to the bounds.
func millis(t time.Time) int64 {
	switch y := t.UTC().Year(); {
	case y < 1970:
		return -1
	case y > 9999:
		return lastMS
	}
	return t.UnixMilli()
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
