package schedule

import (
	"strings"
	"testing"
	"time"
)

// vector is one row of the reference's tables 3.2 and 3.4: v is its number there.
type vector struct {
	v, text, zone string
	after         string // slots are asked for after this; "" is before the first
	want          string // their times, separated by spaces; the last ! means that no slot follows
}

// times reads want. A time without a date is on the day of the one before it.
func times(t *testing.T, want string) (out []string, whole bool) {
	t.Helper()
	date := ""
	for w := range strings.FieldsSeq(want) {
		if w == "!" {
			return out, true
		}
		if d, _, ok := strings.Cut(w, "T"); ok {
			date = d
		} else {
			w = date + "T" + w
		}
		if strings.Count(w, ":") == 1 {
			w += ":00"
		}
		out = append(out, w)
	}
	return out, false
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func runVectors(t *testing.T, created string, rows []vector) {
	for _, row := range rows {
		t.Run("V"+row.v, func(t *testing.T) {
			s, err := Parse(row.text, row.zone, instant(t, created))
			if err != nil {
				t.Fatal(err)
			}
			after := time.Unix(0, 0)
			if row.after != "" {
				after = instant(t, row.after)
			}
			want, whole := times(t, row.want)
			limit := len(want)
			if whole {
				limit++
			}
			var got []string
			for _, slot := range s.Slots(after, time.UnixMilli(lastMS), limit) {
				got = append(got, slot.Format("2006-01-02T15:04:05.999"))
			}
			if g, w := strings.Join(got, " "), strings.Join(want, " "); g != w {
				t.Errorf("%s (%s)\n got %s\nwant %s", row.text, row.zone, g, w)
			}
		})
	}
}

const (
	newYork = "America/New_York"
	berlin  = "Europe/Berlin"
	lord    = "Australia/Lord_Howe"
)

// intervalVectors are those of 3.2 that are accepted, by when their jobs were. V24 is what
// V25 refers to, V45 what rule 4 does.
func intervalVectors() map[string][]vector {
	return map[string][]vector{"2026-05-05T12:00:00Z": {
		{v: "01", text: "R3/2026-01-01T00:00:00Z/PT1H", want: "2026-01-01T00:00 01:00 02:00 !"},
		{v: "02", text: "R1/2026-01-01T00:00:00Z/PT24H", want: "2026-01-01T00:00 !"},
		{v: "04", text: "R0/2026-01-01T00:00:00Z/PT1H", want: "!"},
		{v: "05", text: "R10/2012-10-01T05:52:00Z/PT2S", want: "2012-10-01T05:52:00 05:52:02 05:52:04 05:52:06 05:52:08 05:52:10 05:52:12 05:52:14 05:52:16 05:52:18 !"},
		{v: "07", text: "R/2026-12-31T23:59:58Z/PT2S", want: "2026-12-31T23:59:58 2027-01-01T00:00:00 00:00:02 00:00:04"},
		{v: "08", text: "R/2026-12-31T22:30:00Z/PT90M", want: "2026-12-31T22:30 2027-01-01T00:00 01:30 03:00"},
		{v: "10", text: "R/2026-12-31T00:00:00Z/P1D", want: "2026-12-31T00:00 2027-01-01T00:00 2027-01-02T00:00"},
		{v: "11", text: "R/2026-12-28T00:00:00Z/P12DT12M", want: "2026-12-28T00:00 2027-01-09T00:12 2027-01-21T00:24"},
		{v: "13", text: "R/2026-01-30T12:00:00Z/P1M", want: "2026-01-30T12:00 2026-02-28T12:00 2026-03-30T12:00 2026-04-30T12:00"},
		{v: "14", text: "R/2027-12-31T00:00:00Z/P2M", want: "2027-12-31T00:00 2028-02-29T00:00 2028-04-30T00:00 2028-06-30T00:00"},
		{v: "16", text: "R/2024-02-29T00:00:00Z/P1Y", want: "2024-02-29T00:00 2025-02-28T00:00 2026-02-28T00:00 2027-02-28T00:00 2028-02-29T00:00 2029-02-28T00:00"},
		{v: "17", text: "R/2026-01-31T22:00:00Z/P1M1D", want: "2026-01-31T22:00 2026-03-01T22:00 2026-04-02T22:00 2026-05-03T22:00"},
		{v: "19", text: "R/1997-07-16T19:20:30.45+01:00/P1D", want: "1997-07-16T18:20:30.45 1997-07-17T18:20:30.45"},
		{v: "20", text: "R/2008-03-01T13:00:00Z/P1D", zone: "PST", want: "2008-03-01T21:00 2008-03-02T21:00"},
		{v: "22", text: "R/2008-03-01/P1D", zone: "PST", want: "2008-03-01T08:00 2008-03-02T08:00"},
		{v: "23", text: "R/2008-03-01T13:00:00Z/P1D", zone: "BST", want: "2008-03-01T07:00"},
		{v: "23/Paris", text: "R/2008-03-01T13:00:00Z/P1D", zone: "Europe/Paris", want: "2008-03-01T12:00"},
		{v: "24", text: "R/2026-03-07T02:30:00/P1D", zone: newYork, want: "2026-03-07T07:30 2026-03-08T07:30 2026-03-09T06:30"},
		{v: "25", text: "R/2026-03-07T02:30:00Z/P1D", zone: newYork, want: "2026-03-07T07:30 2026-03-08T07:30 2026-03-09T06:30"},
		{v: "26", text: "R/2026-03-07T02:30:00-05:00/P1D", want: "2026-03-07T07:30 2026-03-08T07:30 2026-03-09T07:30"},
		{v: "28", text: "R/2026-03-07T12:00:00/PT24H", zone: newYork, want: "2026-03-07T17:00 2026-03-08T17:00 2026-03-09T17:00"},
		{v: "29", text: "R/2026-03-08T00:30:00/PT1H", zone: newYork, want: "2026-03-08T05:30 06:30 07:30 08:30"},
		{v: "31", text: "R/2026-10-31T12:00:00/P1D", zone: newYork, want: "2026-10-31T16:00 2026-11-01T17:00 2026-11-02T17:00"},
		{v: "32", text: "R/2026-10-31T12:00:00/PT24H", zone: newYork, want: "2026-10-31T16:00 2026-11-01T16:00 2026-11-02T16:00"},
		{v: "34", text: "R/2026-03-28T02:30:00/P1D", zone: berlin, want: "2026-03-28T01:30 2026-03-29T01:30 2026-03-30T00:30"},
		{v: "35", text: "R/2026-10-24T02:30:00/P1D", zone: berlin, want: "2026-10-24T00:30 2026-10-25T00:30 2026-10-26T01:30"},
		{v: "37", text: "R/2026-01-29T02:30:00/P1M", zone: berlin, want: "2026-01-29T01:30 2026-02-28T01:30 2026-03-29T01:30 2026-04-29T00:30"},
		{v: "38", text: "R/2026-02-08T02:30:00/P1M", zone: newYork, want: "2026-02-08T07:30 2026-03-08T07:30 2026-04-08T06:30 2026-05-08T06:30"},
		{v: "40", text: "R/2026-10-03T02:15:00/P1D", zone: lord, want: "2026-10-02T15:45 2026-10-03T15:45 2026-10-04T15:15"},
		{v: "41", text: "R/2026-01-01T09:00:00/P1D", zone: "Asia/Kathmandu", want: "2026-01-01T03:15 2026-01-02T03:15 2026-01-03T03:15"},
		{v: "45", text: "R4/2011-12-29T12:00:00/P1D", zone: "Pacific/Apia", want: "2011-12-29T22:00 2011-12-30T22:00 2011-12-31T22:00 !"},
	}, "2026-05-05T12:00:00.250Z": {
		{v: "43", text: "R1//PT2M", want: "2026-05-05T12:00:00.25 !"},
	}, "2026-05-05T12:00:00.0009Z": {
		{v: "44", text: "R//PT1H", want: "2026-05-05T12:00 13:00 14:00"},
	}}
}

func TestIntervalVectors(t *testing.T) {
	for created, rows := range intervalVectors() {
		runVectors(t, created, rows)
	}
}

// TestLatenessVectors are what schedules have to do with 3.3: which slots are in a
// stretch of time, and that years full of slots take no time.
func TestLatenessVectors(t *testing.T) {
	t.Run("V53", func(t *testing.T) {
		s := mustParse(t, "R5/2026-01-01T00:00:00Z/PT1M", "")
		from, to := instant(t, "2026-01-01T00:00:30Z"), instant(t, "2026-01-01T00:03:10Z")
		if missed := s.Slots(from, to, 10); len(missed) != 3 || !missed[0].Equal(instant(t, "2026-01-01T00:01:00Z")) {
			t.Errorf("missed: %v", missed)
		}
		slot, k, ok := s.Next(to)
		if !ok || k != 4 || !slot.Equal(instant(t, "2026-01-01T00:04:00Z")) {
			t.Errorf("the next: %v %d %v", slot, k, ok)
		}
		if _, _, ok := s.Next(slot); ok || !s.NeverFires(slot.Add(time.Nanosecond)) || s.NeverFires(slot) {
			t.Error("all five are used up")
		}
	})
	t.Run("V55", func(t *testing.T) {
		s := mustParse(t, "R1/2026-01-01T00:00:00Z/PT24H", "")
		if !s.NeverFires(instant(t, "2026-01-01T01:00:00Z")) {
			t.Error("posted an hour late it has nothing left")
		}
	})
	t.Run("V56", func(t *testing.T) {
		s := mustParse(t, "R/2012-01-01T00:00:01Z/PT1M", "")
		now := instant(t, "2026-01-01T00:00:31Z")
		slot, k, ok := s.Next(now)
		if !ok || k != 7364161 || !slot.Equal(instant(t, "2026-01-01T00:01:01Z")) {
			t.Errorf("the next: %v %d %v", slot, k, ok)
		}
	})
}

// cronVectors are those of 3.4 that are accepted.
func cronVectors() []vector {
	return []vector{
		{v: "58", text: "0 2 * * *", zone: newYork, after: "2026-03-07T12:00:00Z", want: "2026-03-08T07:00 2026-03-09T06:00"},
		{v: "59", text: "*/15 2 * * *", zone: newYork, after: "2026-03-08T05:00:00Z", want: "2026-03-08T07:00 07:15 07:30 07:45 2026-03-09T06:00"},
		{v: "61", text: "30 1 * * *", zone: newYork, after: "2026-10-31T12:00:00Z", want: "2026-11-01T05:30 2026-11-02T06:30"},
		{v: "62", text: "0 1 * * *", zone: newYork, after: "2026-10-31T12:00:00Z", want: "2026-11-01T05:00 2026-11-02T06:00"},
		{v: "64", text: "0 * * * *", zone: newYork, after: "2026-11-01T03:30:00Z", want: "2026-11-01T04:00 05:00 06:00 07:00 08:00"},
		{v: "65", text: "30 2 * * *", zone: berlin, after: "2026-03-28T12:00:00Z", want: "2026-03-29T01:30 2026-03-30T00:30"},
		{v: "67", text: "0 0 * * *", zone: "America/Sao_Paulo", after: "2018-11-02T12:00:00Z", want: "2018-11-03T03:00 2018-11-04T03:00 2018-11-05T02:00"},
		{v: "68", text: "0 0 * * *", zone: "Asia/Beirut", after: "2026-03-27T12:00:00Z", want: "2026-03-27T22:00 2026-03-28T22:00 2026-03-29T21:00"},
		{v: "70", text: "15 2 * * *", zone: lord, after: "2026-10-02T12:00:00Z", want: "2026-10-02T15:45 2026-10-03T15:45 2026-10-04T15:15"},
		{v: "71", text: "45 1 * * *", zone: lord, after: "2026-04-03T00:00:00Z", want: "2026-04-03T14:45 2026-04-04T14:45 2026-04-05T15:15"},
		{v: "73", text: "0 0 13 * 5", zone: "UTC", after: "2026-02-01T00:00:00Z", want: "2026-02-06T00:00 2026-02-13T00:00 2026-02-20T00:00 2026-02-27T00:00 2026-03-06T00:00"},
		{v: "74", text: "0 0 */2 * 1", after: "2026-02-01T00:00:00Z", want: "2026-02-02T00:00 2026-02-03T00:00 2026-02-05T00:00 2026-02-07T00:00 2026-02-09T00:00"},
		{v: "76", text: "0 0 31 * *", after: "2026-01-31T00:00:00Z", want: "2026-03-31T00:00 2026-05-31T00:00 2026-07-31T00:00 2026-08-31T00:00"},
		{v: "77", text: "0 0 29 2 *", after: "2026-01-01T00:00:00Z", want: "2028-02-29T00:00 2032-02-29T00:00"},
		{v: "77/2100", text: "0 0 29 2 *", after: "2096-03-01T00:00:00Z", want: "2104-02-29T00:00"},
		{v: "80/Sunday", text: "0 0 * * 7", after: "2026-02-01T00:00:00Z", want: "2026-02-08T00:00 2026-02-15T00:00"},
		{v: "82", text: "CRON_TZ=America/New_York 0 9 * * MON-FRI", after: "2026-03-06T15:00:00Z", want: "2026-03-09T13:00 2026-03-10T13:00"},
		{v: "88", text: "@minutely", after: "2026-02-01T00:00:30Z", want: "2026-02-01T00:01 00:02"},
		{v: "85", text: "*/20 0 * * * *", after: "2026-02-01T00:00:00Z", want: "2026-02-01T00:00:20 00:00:40 01:00:00"},
		{v: "89", text: "59 23 31 12 *", after: "2026-12-31T23:58:59.999Z", want: "2026-12-31T23:59:00 2027-12-31T23:59:00"},
	}
}

func TestCronVectors(t *testing.T) { runVectors(t, "2026-01-01T00:00:00Z", cronVectors()) }

// refusedVector is one row that is refused, with what the error names.
type refusedVector struct{ v, text, zone, names string }

// refusedVectors are the rows of both tables that are refused.
func refusedVectors() []refusedVector {
	return []refusedVector{
		{"46", "R-1/2026-01-01T00:00:00Z/PT1H", "", `"R-1"`},
		{"47", "R/2026-01-01T00:00:00Z", "", "R[n]/[start]/period"},
		{"49", "R2/2026-01-01T00:00:00Z/PT0S", "", "no length"},
		{"50", "R/1969-12-31T23:59:59Z/P1D", "", "1970"},
		{"52", "R/2026-01-01T00:00:00Z/P1D", "Mars/Phobos", "scheduleTimeZone"},
		{"79", "0 0 30 2 *", "", "never fires"},
		{"80", "* 22-2 * * *", "", "the hour field"},
		{"80", "60 * * * *", "", "the minute field"},
		{"80", "0 0 L * *", "", "the day of the month field"},
		{"80", "0 0 15W * *", "", "the day of the month field"},
		{"80", "0 0 * * 5#3", "", "the weekday field"},
		{"83", "CRON_TZ=UTC", "", "no time"},
		{"86", "@every 500ms", "", "a second or more"},
		{"86", "@every 0s", "", "a second or more"},
		{"86", "@every -5m", "", "a second or more"},
		{"88", "@every 1d", "", "a duration such as"},
		{"88", "@reboot", "", "@reboot"},
		{"88", "@at 2026-01-01T00:00:00Z", "", "is not known"},
		{"88", "@manually", "", "is not known"},
	}
}

func TestRefusedVectors(t *testing.T) {
	for _, row := range refusedVectors() {
		if s, err := Parse(row.text, row.zone, time.Unix(1e9, 0)); err == nil || !strings.Contains(err.Error(), row.names) {
			t.Errorf("V%s: %q is read as %v, and the error does not name %q: %v", row.v, row.text, s, row.names, err)
		}
	}
}

// TestNoVectorIsLeftOut: the numbers that the reference has in 3.2 and 3.4. Those between
// are not there. 53, 55 and 56, of 3.3, are above and in package due.
func TestNoVectorIsLeftOut(t *testing.T) {
	have := map[string]bool{}
	for _, rows := range intervalVectors() {
		for _, row := range rows {
			have[row.v] = true
		}
	}
	for _, row := range cronVectors() {
		have[row.v] = true
	}
	for _, row := range refusedVectors() {
		have[row.v] = true
	}
	for v := range strings.FieldsSeq("01 02 04 05 07 08 10 11 13 14 16 17 19 20 22 23 25 26 28 29 31 32 34 35 37 38 40 41 43 44 46 47 49 50 52 " +
		"58 59 61 62 64 65 67 68 70 71 73 74 76 77 79 80 82 83 85 86 88 89") {
		if !have[v] {
			t.Errorf("V%s is not tested", v)
		}
	}
}

// TestLastDayOfALeapYear: Go's ZoneBounds tells an end in the past there.
func TestLastDayOfALeapYear(t *testing.T) {
	runVectors(t, "2026-01-01T00:00:00Z", []vector{
		{v: "ISO", text: "R/2044-12-30T12:00:00/P1D", zone: newYork, want: "2044-12-30T17:00 2044-12-31T17:00 2045-01-01T17:00"},
		{v: "cron", text: "0 12 * * *", zone: newYork, after: "2044-12-30T18:00:00Z", want: "2044-12-31T17:00 2045-01-01T17:00"},
		{v: "no changes", text: "0 12 * * *", zone: "Asia/Kathmandu", after: "2044-12-30T18:00:00Z", want: "2044-12-31T06:15 2045-01-01T06:15"},
		{v: "south", text: "0 12 * * *", zone: lord, after: "2044-12-30T18:00:00Z", want: "2044-12-31T01:00 2045-01-01T01:00"},
	})
}

func mustParse(t testing.TB, text, zone string) *Schedule {
	t.Helper()
	s, err := Parse(text, zone, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
