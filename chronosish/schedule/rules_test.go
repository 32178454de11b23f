package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestChronos: what is shown once repetitions are used up.
func TestChronos(t *testing.T) {
	for _, c := range []struct {
		text, zone string
		consumed   int64
		want       string
	}{
		{"R5/2026-01-01T00:00:00Z/PT1H", "", 0, "R5/2026-01-01T00:00:00.000Z/PT1H"},
		{"R5/2026-01-01T00:00:00Z/PT1H", "", 2, "R3/2026-01-01T02:00:00.000Z/PT1H"},
		{"R5/2026-01-01T00:00:00Z/PT1H", "", 5, "R0/2026-01-01T05:00:00.000Z/PT1H"},
		{"R5/2026-01-01T00:00:00Z/PT1H", "", 9, "R0/2026-01-01T09:00:00.000Z/PT1H"},
		{"R5/2026-01-01T00:00:00Z/PT1H", "", -1, "R5/2026-01-01T00:00:00.000Z/PT1H"},
		{"R/2026-01-31T00:00Z/P1M", "", 2, "R/2026-03-31T00:00:00.000Z/P1M"},
		{"R/2026-01-01T01:00:00+0100/PT90M", "", 1, "R/2026-01-01T02:30:00.000+01:00/PT90M"},
		{"R/2026-03-07T02:30:00Z/P1D", newYork, 1, "R/2026-03-08T03:30:00.000-04:00/P1D"},
		{"R/2026-03-07T02:30:00Z/P1D", newYork, 2, "R/2026-03-09T02:30:00.000-04:00/P1D"},
		{"R1//PT2M", "", 0, "R1/2001-09-09T01:46:40.000Z/PT2M"},
		{"R0//PT0M", "", 0, "R0/2001-09-09T01:46:40.000Z/PT0S"},
		{"R1//P", "", 1, "R0/2001-09-09T01:46:40.000Z/PT0S"},
		{"R/2026-01-01/P0Y1M2W3DT0H4M05,5S", "", 0, "R/2026-01-01T00:00:00.000Z/P1M2W3DT4M5.500S"},
		{"R/9999-12-31T23:00:00Z/P1D", "", 1, "R/9999-12-31T23:59:59.999Z/P1D"},
		{" 0 12 * * * ", newYork, 7, "0 12 * * *"},
		{"@every 90s", "", 7, "@every 90s"},
	} {
		s := mustParse(t, c.text, c.zone)
		if got := s.Chronos(c.consumed); got != c.want {
			t.Errorf("%s (%s) after %d: %s, not %s", c.text, c.zone, c.consumed, got, c.want)
		}
	}
}

// TestRepetitions: how many slots there are, and that R0 and R1 may have no period.
func TestRepetitions(t *testing.T) {
	for text, want := range map[string]int64{"R//PT1S": -1, "R0//PT0M": 0, "R1//P": 1, "R1//PT2M": 1, "R007//PT1S": 7, "@daily": -1, "@every 2s": -1} {
		s := mustParse(t, text, "")
		if got := s.Repetitions(); got != want {
			t.Errorf("%s has %d repetitions, not %d", text, got, want)
		}
		if n := int64(len(s.Slots(time.Unix(0, 0), time.Unix(1e9+60, 0), 100))); want >= 0 && n != want {
			t.Errorf("%s has %d slots", text, n)
		}
	}
}

// TestEvery: @every counts from the second in which the job was accepted, however late
// somebody asks.
func TestEvery(t *testing.T) {
	s, err := Parse("@every 90s", "", instant(t, "2026-01-01T12:00:05.700Z"))
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[string]string{"2026-01-01T12:00:05.700Z": "12:01:35", "2026-01-01T12:02:00Z": "12:03:05", "2026-01-01T12:03:05Z": "12:04:35"} {
		slot, k, ok := s.Next(instant(t, after))
		if got := slot.Format("15:04:05"); !ok || got != want {
			t.Errorf("after %s comes %s (%d)", after, got, k)
		}
	}
}

// TestMacros: a macro is the fields that it stands for.
func TestMacros(t *testing.T) {
	for _, c := range [][2]string{{"@yearly", "2027-01-01T00:00"}, {"@annually", "2027-01-01T00:00"}, {"@monthly", "2026-06-01T00:00"}, {"@weekly", "2026-05-10T00:00"},
		{"@daily", "2026-05-06T00:00"}, {"@midnight", "2026-05-06T00:00"}, {"@hourly", "2026-05-05T13:00"}, {"@minutely", "2026-05-05T12:31"}, {"CRON_TZ=Asia/Tokyo @daily", "2026-05-05T15:00"}} {
		slot, k, ok := mustParse(t, c[0], "").Next(instant(t, "2026-05-05T12:30:00Z"))
		if got := slot.Format("2006-01-02T15:04"); !ok || got != c[1] || k != -1 {
			t.Errorf("%s: %s (%d)", c[0], got, k)
		}
	}
}

// TestFields: several ways to write the same fields.
func TestFields(t *testing.T) {
	for _, c := range [][2]string{{"0 0 * * 7", "0 0 * * 0"}, {"0 0 * * 5-7", "0 0 * * fri,sat,SUN"}, {"0 0 * * 1-7/2", "0 0 * * 1,3,5,7"}, {"0 0 * * 1-7/5", "0 0 * * 1,6"}, {"0 0 * * 0-7", "0 0 * * *"},
		{"0 0 * * 7/3", "0 0 * * 0"}, {"0 0 ? JAN-mar ?", "0 0 * 1-3 *"}, {"0 10/20 * * * *", "0 10,30,50 * * * *"}, {"00 007 * * *", "0 7 * * *"}, {"*/1 * * * *", "* * * * *"}} {
		a, b := mustParse(t, c[0], ""), mustParse(t, c[1], "")
		at := instant(t, "2026-01-01T00:00:00Z")
		for range 50 {
			x, _, _ := a.Next(at)
			y, _, _ := b.Next(at)
			if !x.Equal(y) {
				t.Errorf("%s and %s differ after %v: %v, %v", c[0], c[1], at, x, y)
				break
			}
			at = x
		}
	}
}

// TestZones: names that are found, and what they are on 2026-07-01.
func TestZones(t *testing.T) {
	at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for name, want := range map[string]string{"Europe/Berlin": "+02:00", "PST": "-07:00", "BST": "+06:00", "EST": "-05:00", "MST": "-07:00", "HST": "-10:00", "UTC": "Z", "GMT": "Z", "Z": "Z",
		"GMT+5": "+05:00", "GMT-03:30": "-03:30", "Etc/GMT+5": "-05:00", "IST": "+05:30", "VST": "+07:00"} {
		in, err := Zone(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := at.In(in).Format("Z07:00"); got != want {
			t.Errorf("%s is %s, not %s", name, got, want)
		}
	}
	for _, name := range []string{"Local", "local", "europe/berlin/", "../etc/passwd", "/etc/localtime", "GMT+", "GMT+19", "GMT+5:3", "GMT+5:60", "XYZ", "+02:00", " UTC", "Europe/Berlin\x00", strings.Repeat("x", 100)} {
		var r *Refusal
		if in, err := Zone(name); !errors.As(err, &r) || r.Field != "scheduleTimeZone" {
			t.Errorf("%q is read as %v: %v", name, in, err)
		}
	}
	for _, name := range []string{"", "null"} {
		if in, err := Zone(name); in != nil || err != nil {
			t.Errorf("%q is no zone, and is %v: %v", name, in, err)
		}
	}
}

// TestRefusals: each says what is wrong.
func TestRefusals(t *testing.T) {
	long := strings.Repeat("1,", 600) + "1 * * * *"
	for _, c := range []struct{ text, zone, says string }{
		{"", "", "is empty"}, {"  ", "", "is empty"}, {long, "", "bytes"}, {"hello", "", "1 cron fields"}, {"P1D", "", "R[n]/[start]/period"},
		{"r/2026-01-01/P1D", "", `"r"`}, {"Rx//P1D", "", `"Rx"`}, {"R99999999999999999999//P1D", "", "cannot be counted"},
		{"R//P1D/2026-01-01", "", "R[n]/[start]/period"}, {"R/2026-01-01/1D", "", "starts with P"}, {"R/2026-01-01/P1D1D", "", "in this order"}, {"R/2026-01-01/P1H", "", "in this order"},
		{"R/2026-01-01/PT1M1H", "", "in this order"}, {"R/2026-01-01/PT", "", "missing"}, {"R/2026-01-01/P1DT", "", "missing"}, {"R/2026-01-01/P-1D", "", "whole number"},
		{"R/2026-01-01/P1.5D", "", "only seconds"}, {"R/2026-01-01/PT1.5H", "", "only seconds"}, {"R/2026-01-01/p1d", "", "starts with P"}, {"R/2026-01-01/P1d", "", "in this order"},
		{"R/2026-01-01/P9999Y", "", "longer than the calendar"}, {"R/2026-01-01/P9999999999999D", "", "too large"}, {"R/2026-01-01/P999999999999Y", "", "longer than the calendar"},
		{"R/2026-01-01/P", "", "no length"}, {"R/2026-01-01/PT0.0009S", "", "no length"},
		{"R/2026-02-29/P1D", "", "no such day"}, {"R/2026-13-01/P1D", "", "no such day"}, {"R/2026-04-31/P1D", "", "no such day"}, {"R/2026-00-01/P1D", "", "no such day"},
		{"R/2026-01-01T24:00/P1D", "", "time of the day"}, {"R/2026-01-01T12:60/P1D", "", "time of the day"}, {"R/2026-01-01T12:00:60Z/P1D", "", "time of the day"},
		{"R/2026-01-01T12:00:00z/P1D", "", "the form"}, {"R/2026-01-01t12:00:00Z/P1D", "", "the form"}, {"R/2026-1-1/P1D", "", "the form"}, {"R/2026-01-01T/P1D", "", "the form"}, {"R/2026-01-01Z/P1D", "", "the form"},
		{"R/2026-01-01T12/P1D", "", "the form"}, {"R/2026-01-01T12:00:00./P1D", "", "the form"}, {"R/2026-01-01T12:00:00+1/P1D", "", "the form"}, {"R/2026-01-01T12:00:00+01:0/P1D", "", "the form"},
		{"R/2026-01-01T12:00:00+19:00/P1D", "", "18 hours"}, {"R/2026-01-01T12:00:00+01:60/P1D", "", "18 hours"}, {"R/12026-01-01/P1D", "", "the form"}, {"R/now/P1D", "", "the form"},
		{"R/1970-01-01T00:00:00Z/P1D", "", "1970-01-01T00:00:01Z"}, {"R/1970-01-01T05:00:00/P1D", "Asia/Tokyo", "1970-01-01T00:00:01Z"}, {"R/9999-12-31T23:00:00/P1D", newYork, "9999"},
		{"R/2026-01-01/P1D", "Europe/Atlantis", `scheduleTimeZone "Europe/Atlantis"`},
		{"* * * *", "", "4 cron fields"}, {"* * * * * * *", "", "7 cron fields"}, {", * * * *", "", "a value is missing"}, {"1,,2 * * * *", "", "a value is missing"}, {"*-5 * * * *", "", "the minute field"},
		{"? * * * *", "", "the minute field"}, {"*/0 * * * *", "", "the minute field"}, {"*/-1 * * * *", "", "the minute field"}, {"+5 * * * *", "", "the minute field"}, {"5-1 * * * *", "", "the minute field"}, {"1/2/3 * * * *", "", "the minute field"},
		{"0 0 0 * *", "", "the day of the month field"}, {"0 0 32 * *", "", "the day of the month field"}, {"0 0 * 13 *", "", "the month field"}, {"0 0 * FOO *", "", "the month field"}, {"0 0 * * 8", "", "the weekday field"}, {"0 0 * * fri-sun", "", "the weekday field"},
		{"0 24 * * *", "", "the hour field"}, {"60 0 0 * * *", "", "the second field"}, {"TZ=x * * * *", "", `the zone "x"`}, {"0 0 31 2,4,6,9,11 *", "", "never fires"}, {"0 0 TZ=UTC * *", "", "the day of the month field"},
		{"TZ=", "", "no time"}, {"CRON_TZ=", "", "no time"}, {"CRON_TZ= * * * * *", "", `the zone ""`}, {"CRON_TZ=Local * * * * *", "", "not known"}, {"CRON_TZ=UTC * * * * *", berlin, "give one of them"}, {"CRON_TZ=UTC @every", "", "a duration such as"},
		{"@foo", "", `"@foo"`}, {"@every", "", "a duration such as"}, {"@every5s", "", "a duration such as"}, {"@every 1s 2s", "", "a duration such as"}, {"@every 1.0000001s", "", "milliseconds"}, {"@daily UTC", "", "is not known"}, {"@Daily", "", "is not known"},
	} {
		s, err := Parse(c.text, c.zone, time.Unix(1e9, 0))
		var r *Refusal
		if !errors.As(err, &r) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.60q (%s) is read as %v, and the error does not say %q: %v", c.text, c.zone, s, c.says, err)
		}
	}
}
