package schedule

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// shown is what Chronos's clients expect of a schedule.
const shown = `^R\d*/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)/P[0-9A-Z.]+$`

// checkParsed holds of every text: it is refused with a sentence, or its slots ascend,
// are after what they are asked for, and are found in an instant.
func checkParsed(t *testing.T, text, zone string, after int64) {
	created := time.Unix(1.7e9, 250e6)
	s, err := Parse(text, zone, created)
	if err != nil {
		if m := err.Error(); !strings.HasPrefix(m, "schedule") || !utf8.ValidString(m) || len(m) > 700 {
			t.Fatalf("%q: the error is no sentence for people: %q", text, m)
		}
		return
	}
	at := time.UnixMilli(after)
	for range 20 {
		slot, k, ok := s.Next(at)
		if !ok {
			break
		}
		if !slot.After(at) || slot.Year() > 9999 {
			t.Fatalf("%q: %v is said to follow %v", text, slot, at)
		}
		if again, n, ok := s.Next(slot.Add(-1)); !ok || !again.Equal(slot) || n != k {
			t.Fatalf("%q: %v is slot %d, and asked for right before it is %v, slot %d", text, slot, k, again, n)
		}
		if s.NeverFires(slot) {
			t.Fatalf("%q never fires, but does at %v", text, slot)
		}
		at = slot
	}
	out := s.Chronos(2)
	if s.iso == nil || s.iso.every {
		if out != strings.TrimSpace(text) {
			t.Fatalf("%q is shown as %q", text, out)
		}
		return
	}
	if !regexp.MustCompile(shown).MatchString(out) {
		t.Fatalf("%q is shown as %q", text, out)
	}
	if !s.iso.period.zero() {
		if _, err := Parse(out, zone, created); err != nil {
			t.Fatalf("%q is shown as %q, which is refused: %v", text, out, err)
		}
	}
}

func FuzzInterval(f *testing.F) {
	for _, text := range []string{"R5/2026-01-31T02:30:00.5+01:00/P1M2DT3H4M5.5S", "R//PT1H", "R0//PT0M", "R1/1970-01-01T00:00:01Z/P", "R/9999-12-31T23:59Z/PT0,001S", "R9/2011-12-30T12:00:00/P8028Y", "R/2026-01-01/P1W"} {
		f.Add(text, "Pacific/Apia", int64(1.3e12))
		f.Add(text, "", int64(-1))
	}
	f.Fuzz(func(t *testing.T, text, zone string, after int64) {
		if !strings.HasPrefix(text, "R") {
			text = "R" + text
		}
		checkParsed(t, text, zone, after)
	})
}

func FuzzCron(f *testing.F) {
	for _, text := range []string{"*/5 1-5 * * MON-FRI", "0 0 29 2 *", "0 0 */2 * 1", "CRON_TZ=UTC", "TZ=Europe/Berlin @daily", "@every 1h30m", "59 59 23 31 12 7", "5-7/2,?,*-3 ,, * L 5#3", "* * * * * *", "0 0 30 2 ?"} {
		f.Add(text, "Australia/Lord_Howe", int64(1.3e12))
		f.Add(text, "", int64(1<<62))
	}
	f.Fuzz(checkParsed)
}
