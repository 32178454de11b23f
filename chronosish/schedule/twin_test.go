package schedule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// zones are those whose clocks do the most unusual things.
func zones() []string {
	return []string{"", "UTC", newYork, berlin, lord, "Asia/Beirut", "America/Sao_Paulo", "Africa/Casablanca", "Africa/Cairo", "Pacific/Apia",
		"Pacific/Kwajalein", "Antarctica/Troll", "Asia/Kathmandu", "Asia/Tehran", "America/St_Johns", "Europe/Dublin", "Pacific/Chatham", "America/Havana", "EST", "GMT-03:30"}
}

func drawZone(t *rapid.T) (string, *time.Location) {
	name := rapid.SampledFrom(zones()).Draw(t, "zone")
	in, err := Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	if in == nil {
		in = time.UTC
	}
	return name, in
}

// drawTime is a time in whole minutes, near a change of the zone's clock if it has any.
func drawTime(t *rapid.T, in *time.Location) time.Time {
	at := time.Unix(rapid.Int64Range(0, 66e6).Draw(t, "minute")*60, 0) // until 2095
	if _, end := at.In(in).ZoneBounds(); !end.IsZero() && rapid.Bool().Draw(t, "near a change") {
		at = end.Add(time.Duration(rapid.Int64Range(-3000, 1500).Draw(t, "minutes from it")) * time.Minute)
	}
	return at.UTC().Truncate(time.Minute) // tables end at odd seconds
}

// shows is what a zone's clock shows, as the UTC time that looks the same.
func shows(in *time.Location, at time.Time) time.Time {
	_, off := at.In(in).Zone()
	return at.UTC().Add(time.Duration(off) * time.Second)
}

// slowResolve looks at every minute of three days for the one at which the clock shows a
// local time, or has jumped over it.
func slowResolve(in *time.Location, local time.Time) time.Time {
	second := local.Second()
	local = local.Add(-time.Duration(second) * time.Second)
	at := local.Add(-36 * time.Hour)
	for ; ; at = at.Add(time.Minute) {
		switch clock := shows(in, at); {
		case clock.Equal(local):
			return at.Add(time.Duration(second) * time.Second)
		case clock.After(local) && shows(in, at.Add(-time.Minute)).Before(local):
			before := shows(in, at.Add(-time.Minute))
			return at.Add(-time.Minute).Add(local.Sub(before) + time.Duration(second)*time.Second)
		}
	}
}

// slowAdd adds a period k times to a local time, one month and one day after the other.
func slowAdd(local time.Time, months, days int) time.Time {
	y, m, d := local.Date()
	for range months {
		if m++; m > 12 {
			y, m = y+1, 1
		}
	}
	for day := d; ; day-- {
		if at := time.Date(y, m, day, local.Hour(), local.Minute(), local.Second(), 0, time.UTC); at.Month() == m {
			for range days {
				at = at.Add(24 * time.Hour)
			}
			return at
		}
	}
}

// TestIntervalTwin: slots are what adding the period again and again to the anchor gives,
// whenever the next is asked for.
func TestIntervalTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name, in := drawZone(t)
		start := shows(in, drawTime(t, in)).Add(time.Duration(rapid.IntRange(0, 59).Draw(t, "second")) * time.Second)
		if start.Year() < 1971 {
			start = start.AddDate(1, 0, 0)
		}
		n := func(label string, most int) int { return rapid.IntRange(0, most).Draw(t, label) }
		months, days, minutes := n("months", 14), n("days", 9), n("minutes", 2000)
		switch n("kind", 3) {
		case 0:
			months, minutes = 0, 0
		case 1:
			months, days = 0, 0
		case 2:
			days, minutes = 0, 0
		}
		if months+days+minutes == 0 {
			minutes = 1
		}
		count := n("count", 8)
		text := fmt.Sprintf("R%d/%s/P%dM%dDT%dM", count, start.Format("2006-01-02T15:04:05"), months, days, minutes)
		s, err := Parse(text, name, time.Time{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var all []time.Time // the slot of each k
		for k := range count {
			all = append(all, slowResolve(in, slowAdd(start, k*months, k*days)).Add(time.Duration(k*minutes)*time.Minute))
		}
		if !slices.IsSortedFunc(all, time.Time.Compare) {
			t.Fatalf("%s (%s): %v", text, name, all)
		}
		if got, want := s.Slots(time.Unix(0, 0), time.UnixMilli(lastMS), 20), slices.CompactFunc(slices.Clone(all), time.Time.Equal); !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Fatalf("%s (%s)\n got %v\nwant %v", text, name, got, want)
		}
		for _, slot := range append(all, start, start.AddDate(0, 2, 1)) {
			checkAround(t, s, all, slot.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "beside"))*time.Millisecond))
		}
	})
}

// checkAround compares Next and NeverFires at one time with the list of all slots.
func checkAround(t *rapid.T, s *Schedule, all []time.Time, at time.Time) {
	later := slices.IndexFunc(all, func(u time.Time) bool { return u.After(at) })
	slot, k, ok := s.Next(at)
	if ok != (later >= 0) || ok && (!slot.Equal(all[later]) || !all[k].Equal(slot) || int(k) < len(all)-1 && all[k+1].Equal(slot)) {
		t.Fatalf("%v: the next after %v is %v %d %v; all: %v", s, at, slot, k, ok, all)
	}
	if never := !slices.ContainsFunc(all, func(u time.Time) bool { return !u.Before(at) }); s.NeverFires(at) != never {
		t.Fatalf("%v: at %v it never fires any more: %v; all: %v", s, at, !never, all)
	}
}

// drawnField is a cron field and the values that it means.
type drawnField struct {
	text string
	in   []bool
	star bool
}

func drawField(t *rapid.T, label string, low, high int) drawnField {
	f := drawnField{in: make([]bool, high+1)}
	n := func(of string, from, to int) int { return rapid.IntRange(from, to).Draw(t, label+" "+of) }
	if n("kind", 0, 2) == 0 {
		f.text, f.star = "*", true
		for v := low; v <= high; v++ {
			f.in[v] = true
		}
		return f
	}
	var items []string
	for range n("items", 1, 3) {
		from, to, step, text := low, high, 1, "*"
		switch n("item", 0, 3) {
		case 0:
			step = n("step", 2, 20)
			text = fmt.Sprintf("*/%d", step)
		case 1:
			from = n("from", low, high)
			to = n("to", from, high)
			step = n("step", 1, 7)
			text = fmt.Sprintf("%d-%d/%d", from, to, step)
		default:
			from = n("value", low, high)
			to, text = from, fmt.Sprint(from)
		}
		items = append(items, text)
		for v := from; v <= to; v += step {
			f.in[v] = true
		}
	}
	f.text = strings.Join(items, ",")
	return f
}

// TestCronTwin: slots are what a clock that is looked at every second, or every minute,
// gives: it runs what its hands stand at or have jumped over, and nothing a second time,
// unless it runs every hour.
func TestCronTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name, in := drawZone(t)
		tick, window := time.Minute, 5*24*time.Hour
		fields := []drawnField{{text: "0", in: make([]bool, 60)}}
		fields[0].in[0] = true
		if rapid.IntRange(0, 3).Draw(t, "seconds") == 0 {
			tick, window, fields[0] = time.Second, 4*time.Hour, drawField(t, "second", 0, 59)
		}
		fields = append(fields, drawField(t, "minute", 0, 59), drawField(t, "hour", 0, 23), drawField(t, "day", 1, 31), drawField(t, "month", 1, 12), drawField(t, "weekday", 0, 7))
		if sunday := fields[5].in; sunday[7] {
			sunday[0] = true
		}
		texts := make([]string, len(fields))
		for i, f := range fields {
			texts[i] = f.text
		}
		text := strings.Join(texts, " ")
		s, err := Parse(text, name, time.Time{})
		if err != nil {
			if strings.Contains(err.Error(), "never fires") && !possible(fields) {
				return
			}
			t.Fatalf("%s: %v", text, err)
		}
		from := drawTime(t, in)
		to := from.Add(window)
		want := slowCron(fields, in, from, to, tick)
		got := s.Slots(from, to, len(want)+1)
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			i := 0
			for i < min(len(got), len(want)) && got[i].Equal(want[i]) {
				i++
			}
			t.Fatalf("%s (%s) after %v: %d are right, then\n got %v\nwant %v", text, name, from, i, got[i:min(i+3, len(got))], want[i:min(i+3, len(want))])
		}
	})
}

// possible tells whether fields allow any day, by looking at those of 28 years.
func possible(fields []drawnField) bool {
	for day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2028; day = day.AddDate(0, 0, 1) {
		if allowedDay(fields, day) {
			return true
		}
	}
	return false
}

func allowedDay(fields []drawnField, local time.Time) bool {
	day, weekday := fields[3].in[local.Day()], fields[5].in[local.Weekday()]
	if fields[3].star || fields[5].star {
		return fields[4].in[local.Month()] && day && weekday
	}
	return fields[4].in[local.Month()] && (day || weekday)
}

// slowCron lets a clock tick through a day before from and then on until to.
func slowCron(fields []drawnField, in *time.Location, from, to time.Time, tick time.Duration) []time.Time {
	runs := func(local time.Time) bool {
		return fields[0].in[local.Second()] && fields[1].in[local.Minute()] && fields[2].in[local.Hour()] && allowedDay(fields, local)
	}
	every := !slices.Contains(fields[2].in, false)
	seen := map[time.Time]bool{}
	farthest := shows(in, from.Add(-26*time.Hour))
	for at := from.Add(-26 * time.Hour); !at.After(to); at = at.Add(tick) {
		local := shows(in, at)
		if runs(local) && (every || local.After(farthest)) {
			seen[at] = true
		}
		gap := local.Sub(farthest)
		for missed := farthest.Add(tick); !every && missed.Before(local); missed = missed.Add(tick) {
			if runs(missed) {
				seen[at.Add(missed.Sub(farthest)-tick)] = true
			}
		}
		if gap > 0 {
			farthest = local
		}
	}
	var out []time.Time
	for at := range seen {
		if at.After(from) && !at.After(to) {
			out = append(out, at)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}
