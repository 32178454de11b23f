package schedule

import (
	"fmt"
	"strings"
	"time"

	robfig "github.com/robfig/cron/v3"
)

// parseCron reads what is no interval: an optional CRON_TZ=zone, then a macro or fields.
func (s *Schedule) parseCron(created time.Time) error {
	text := s.text
	if name, rest, ok := zonePrefix(text); ok {
		if rest == "" {
			return refuse("%s names a zone and no time: cron fields must follow behind a space", shorten(text))
		}
		zone, err := Zone(name)
		if err != nil || zone == nil {
			return refuse("names the zone %s, which is not known: give a name of the zone data, such as America/New_York", shorten(name))
		}
		if s.zone != nil && s.zone.String() != zone.String() {
			return refuse("names the zone %s, but scheduleTimeZone is %s: give one of them", zone, s.zone)
		}
		s.zone, text = zone, rest
	}
	if s.zone == nil {
		s.zone = time.UTC
	}
	if every, ok := strings.CutPrefix(text, "@every"); ok {
		return s.parseEvery(every, created)
	}
	if text[0] == '@' {
		fields := macro(text)
		if fields == "" {
			return refuse("%s is not known: macros are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @minutely and @every with a duration", shorten(text))
		}
		text = fields
	}
	var err error
	s.cron, err = parseFields(text, s.zone)
	return err
}

// zonePrefix cuts CRON_TZ=zone or TZ=zone off the front.
func zonePrefix(text string) (zone, rest string, ok bool) {
	for _, prefix := range []string{"CRON_TZ=", "TZ="} {
		if after, ok := strings.CutPrefix(text, prefix); ok {
			i := strings.IndexAny(after, " \t")
			if i < 0 {
				return after, "", true
			}
			return after[:i], strings.TrimSpace(after[i:]), true
		}
	}
	return "", "", false
}

// macro is what a macro stands for, "" if it is unknown.
func macro(name string) string {
	return map[string]string{
		"@yearly":   "0 0 1 1 *",
		"@annually": "0 0 1 1 *",
		"@monthly":  "0 0 1 * *",
		"@weekly":   "0 0 * * 0",
		"@daily":    "0 0 * * *",
		"@midnight": "0 0 * * *",
		"@hourly":   "0 * * * *",
		"@minutely": "* * * * *",
	}[name]
}

// parseEvery reads the duration of @every: an interval without end, whose first slot is
// one duration after the second in which the job was accepted.
func (s *Schedule) parseEvery(text string, created time.Time) error {
	given := strings.TrimSpace(text)
	every, err := time.ParseDuration(given)
	switch {
	case given == "" || text == given || err != nil:
		return refuse("%s is not understood: @every is followed by a duration such as 90s or 1h30m", shorten(s.text))
	case every < time.Second:
		return refuse("%s is too often: @every takes a second or more", shorten(s.text))
	case every%time.Millisecond != 0:
		return refuse("%s is not a whole number of milliseconds", shorten(s.text))
	}
	ms := every.Milliseconds()
	s.iso = &interval{count: -1, period: period{exact: ms}, every: true, zone: time.UTC}
	s.iso.first = max(floorDiv(millis(created), 1000), 0)*1000 + ms
	return nil
}

// field is one field of a cron expression.
type field struct {
	name     string
	low      int
	high     int
	option   robfig.ParseOption
	set      func(*robfig.SpecSchedule) uint64
	into     func(*cron) *uint64
	question bool // a question mark stands for a star
}

func fieldList() []field {
	return []field{
		{"second", 0, 59, robfig.Second, func(s *robfig.SpecSchedule) uint64 { return s.Second }, func(c *cron) *uint64 { return &c.second }, false},
		{"minute", 0, 59, robfig.Minute, func(s *robfig.SpecSchedule) uint64 { return s.Minute }, func(c *cron) *uint64 { return &c.minute }, false},
		{"hour", 0, 23, robfig.Hour, func(s *robfig.SpecSchedule) uint64 { return s.Hour }, func(c *cron) *uint64 { return &c.hour }, false},
		{"day of the month", 1, 31, robfig.Dom, func(s *robfig.SpecSchedule) uint64 { return s.Dom }, func(c *cron) *uint64 { return &c.day }, true},
		{"month", 1, 12, robfig.Month, func(s *robfig.SpecSchedule) uint64 { return s.Month }, func(c *cron) *uint64 { return &c.month }, false},
		{"weekday", 0, 7, robfig.Dow, func(s *robfig.SpecSchedule) uint64 { return s.Dow }, func(c *cron) *uint64 { return &c.weekday }, true},
	}
}

// starBit is what robfig/cron marks a field with a star by.
const starBit = 1 << 63

// parseFields reads five fields, or six with seconds in front.
func parseFields(text string, zone *time.Location) (*cron, error) {
	given := strings.Fields(text)
	if n := len(given); n != 5 && n != 6 {
		return nil, refuse("%s has %d cron fields: it must have 5 (minute, hour, day of the month, month, weekday) or 6 (second in front), or be a repeating interval such as R/2026-01-31T02:30:00Z/P1D", shorten(text), n)
	}
	if len(given) == 5 {
		given = append([]string{"0"}, given...)
	}
	c := &cron{zone: zone}
	stars := false
	for i, f := range fieldList() {
		set, err := f.parse(given[i])
		if err != nil {
			return nil, refuse("%s: %v", shorten(text), err)
		}
		stars = stars || set&starBit != 0 && f.question
		*f.into(c) = set &^ starBit
	}
	c.eitherDay = !stars
	if !c.everFires() {
		return nil, refuse("%s never fires: no month that it names has such a day", shorten(text))
	}
	return c, nil
}

// parse reads the values of one field. Lists and what robfig/cron lets pass (empty
// items, a star in a range) are judged here; it gets one item at a time, and none that
// could be a zone.
func (f field) parse(text string) (uint64, error) {
	var set uint64
	for item := range strings.SplitSeq(text, ",") {
		bits, err := f.item(item)
		if err != nil {
			where := ""
			if item != text {
				where = " in " + shorten(text)
			}
			return 0, fmt.Errorf("the %s field has %s%s: %w", f.name, shorten(item), where, err)
		}
		set |= bits
	}
	return set, nil
}

func (f field) item(item string) (uint64, error) {
	values, step, _ := strings.Cut(item, "/")
	switch {
	case item == "":
		return 0, fmt.Errorf("a value is missing")
	case strings.Trim(item, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ*?-/") != "",
		strings.ContainsAny(values, "*?") && values != "*" && values != "?",
		strings.Trim(step, "0123456789") != "",
		values == "?" && !f.question:
		return 0, fmt.Errorf("it must be a star, a value or a range such as %d-%d, and may have a step such as */2", f.low, f.high)
	}
	if f.name == "weekday" {
		return f.weekdays(item, values, step)
	}
	return f.robfig(item)
}

// weekdays are an item of the weekday field, whose 7 is Sunday, too: robfig/cron knows 0
// only.
func (f field) weekdays(item, values, step string) (uint64, error) {
	from, to, ranged := strings.Cut(values, "-")
	sunday := func(s string) bool { return strings.TrimLeft(s, "0") == "7" }
	switch {
	case sunday(from) && (!ranged || sunday(to)):
		return f.robfig(strings.Replace(item, values, "0-0", 1))
	case ranged && sunday(to):
		set, err := f.robfig(strings.Replace(item, values, from+"-6", 1))
		if err != nil {
			return 0, err
		}
		return set | f.reachesSunday(from, step), nil
	}
	return f.robfig(item)
}

// reachesSunday is Sunday's bit if the steps from a day on come to day 7.
func (f field) reachesSunday(from, step string) uint64 {
	start, err := f.robfig(from)
	if err != nil {
		return 0
	}
	first, every := int64(0), int64(1)
	for start>>uint(first)&1 == 0 {
		first++
	}
	if step != "" {
		if step = strings.TrimLeft(step, "0"); len(step) > 1 {
			return 0
		}
		every = digits(step)
	}
	if (7-first)%every != 0 {
		return 0
	}
	return 1
}

// robfig has robfig/cron read one item of one field.
func (f field) robfig(item string) (uint64, error) {
	read, err := robfig.NewParser(f.option).Parse(item)
	if err != nil {
		return 0, fmt.Errorf("values reach from %d to %d (%w)", f.low, f.high, err)
	}
	spec, ok := read.(*robfig.SpecSchedule)
	if !ok {
		return 0, fmt.Errorf("it is no cron field")
	}
	return f.set(spec), nil
}

// everFires tells whether some month has a day that the fields allow.
func (c *cron) everFires() bool {
	for m := time.January; m <= time.December; m++ {
		if c.days(2000, m) != 0 { // a leap year; which weekdays its days are excludes none
			return true
		}
	}
	return false
}
