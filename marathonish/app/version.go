package app

import "time"

// Version names one state of a definition: the time at which it was accepted, in
// UTC with exactly three decimals, as in 2021-07-27T10:00:00.123Z. Versions of the
// same form compare as strings. "" is none.
type Version string

const timeLayout = "2006-01-02T15:04:05.000Z"

// Timestamp writes a time as Marathon does: UTC, exactly three decimals, Z.
func Timestamp(t time.Time) string { return t.UTC().Format(timeLayout) }

// NextVersion is the version of what is accepted now: the time in whole
// milliseconds, and always later than previous, even if the clock is not.
func NextVersion(now time.Time, previous Version) Version {
	now = now.Truncate(time.Millisecond)
	if p, ok := previous.Time(); ok && !now.After(p) {
		now = p.Add(time.Millisecond)
	}
	return Version(Timestamp(now))
}

// Time is the time that v names; false for none and for what is no version.
func (v Version) Time() (time.Time, bool) {
	t, err := time.Parse(timeLayout, string(v))
	return t, err == nil
}

// ParseVersion reads a version as clients write it: RFC 3339 with any number of
// decimals and any offset. What is finer than a millisecond is cut off.
func ParseVersion(s string) (Version, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.UTC().Year() > 9999 || t.UTC().Year() < 0 {
		return "", false
	}
	return Version(Timestamp(t.Truncate(time.Millisecond))), true
}
