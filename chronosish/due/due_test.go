package due

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
)

// every is anchor + k·period, n of them (-1: without end). Numbers are kept secret where
// it is like cron.
type every struct {
	anchor time.Time
	period time.Duration
	n      int64
	cron   bool
	calls  int
}

func (e *every) Next(after time.Time) (time.Time, int64, bool) {
	e.calls++
	k := int64(0)
	if !after.Before(e.anchor) {
		k = int64(after.Sub(e.anchor)/e.period) + 1
	}
	if e.n >= 0 && k >= e.n {
		return time.Time{}, 0, false
	}
	at := e.anchor.Add(time.Duration(k) * e.period)
	if e.cron {
		k = -1
	}
	return at, k, true
}

func read(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestScript plays testdata: `job` sets the schedule, `at` decides, one moment a line.
func TestScript(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var s *every
		var rules Rules
		var handled time.Time
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			arg := func(key string) (v string) {
				if d.HasArg(key) {
					d.ScanArgs(t, key, &v)
				}
				return v
			}
			switch d.Cmd {
			case "job":
				s = &every{anchor: read(t, arg("start")), n: -1}
				s.period, _ = time.ParseDuration(arg("every"))
				if n := arg("n"); n != "" {
					_, _ = fmt.Sscan(n, &s.n)
				}
				rules = Rules{Disabled: d.HasArg("disabled")}
				if w := arg("epsilon"); w != "" {
					window, err := time.ParseDuration(w)
					if err != nil {
						t.Fatal(err)
					}
					rules.Window = &window
				}
				handled = s.anchor.Add(-1)
				return ""
			case "at":
				l := Load{Busy: d.HasArg("busy"), Room: 100}
				if r := arg("room"); r != "" {
					_, _ = fmt.Sscan(r, &l.Room)
				}
				return strings.Join(mapped(strings.Fields(d.Input), func(line string) string {
					s.calls = 0
					got := Decide(read(t, line), s, handled, rules, l)
					handled = got.Handled
					if s.calls > 300 {
						t.Errorf("%d calls of Next", s.calls)
					}
					return tell(got)
				}), "")
			case "pass":
				if sk := Pass(read(t, strings.TrimSpace(d.Input)), s, handled, Disabled); sk != nil {
					return tell(Decision{Skipped: []Skip{*sk}})
				}
				return "nothing\n"
			}
			t.Fatalf("no command %s", d.Cmd)
			return ""
		})
	})
}

func mapped(list []string, f func(string) string) []string {
	var out []string
	for _, s := range list {
		out = append(out, f(s))
	}
	return out
}

func tell(d Decision) string {
	var b strings.Builder
	stamp := func(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05") }
	for _, s := range d.Skipped {
		fmt.Fprintf(&b, "skip %s", stamp(s.First))
		if !s.Last.Equal(s.First) {
			fmt.Fprintf(&b, " to %s", stamp(s.Last))
		}
		fmt.Fprintf(&b, " (%d): %s\n", s.Count, s.Reason)
	}
	for _, at := range d.Run {
		fmt.Fprintf(&b, "run %s\n", stamp(at))
	}
	switch {
	case d.Exhausted:
		b.WriteString("exhausted\n")
	case !d.Next.IsZero():
		fmt.Fprintf(&b, "next %s\n", stamp(d.Next))
	}
	return b.String()
}

// TestAgainstTheTwin: whatever the moments are at which a job is looked at, each slot up
// to the last moment is dealt with once, in order, and as a slow reading of the rules
// says.
func TestAgainstTheTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		s := &every{
			anchor: start, n: rapid.Int64Range(-1, 40).Draw(t, "n"), cron: rapid.Bool().Draw(t, "cron"),
			period: time.Duration(rapid.IntRange(1, 20).Draw(t, "period")) * time.Second,
		}
		var rules Rules
		if rapid.Bool().Draw(t, "windowed") {
			w := time.Duration(rapid.IntRange(0, 90).Draw(t, "window")) * time.Second
			rules.Window = &w
		}
		handled, now := start.Add(-1), start
		for range rapid.IntRange(1, 20).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(0, 120_000).Draw(t, "pause")) * time.Millisecond)
			l := Load{Busy: rapid.Bool().Draw(t, "busy"), Room: rapid.IntRange(0, 5).Draw(t, "room")}
			got, want := Decide(now, s, handled, rules, l), twin(now, s, handled, rules, l)
			if tell(got) != tell(want) || !got.Handled.Equal(want.Handled) {
				t.Fatalf("at %v after %v: %s, and the twin says %s", now, handled, tell(got), tell(want))
			}
			handled = got.Handled
		}
	})
}

// twin looks at each slot by itself.
func twin(now time.Time, s Schedule, handled time.Time, r Rules, l Load) Decision {
	d := Decision{Handled: handled}
	var open []time.Time
	for at, _, ok := s.Next(handled); ok && !at.After(now); at, _, ok = s.Next(at) {
		open = append(open, at)
	}
	for i, at := range open {
		why := Reason("")
		switch {
		case r.Window != nil && now.Sub(at) > *r.Window:
			why = TooLate
		case r.Window == nil && i < len(open)-1:
			why = Superseded
		case r.Window == nil && l.Busy:
			why = Overlap
		}
		if why == "" && r.Window != nil && len(d.Run) == l.Room {
			break
		}
		if d.Handled = at; why == "" {
			d.Run = append(d.Run, at)
		} else if n := len(d.Skipped); n > 0 && d.Skipped[n-1].Reason == why {
			d.Skipped[n-1].Last = at
			d.Skipped[n-1].Count++
		} else {
			d.Skipped = append(d.Skipped, Skip{at, at, 1, why})
		}
	}
	next, _, ok := s.Next(d.Handled)
	if d.Exhausted = !ok; ok {
		d.Next = next
	}
	return d
}

// TestTheEndsOfAttempts has every state of the kernel.
func TestTheEndsOfAttempts(t *testing.T) {
	for _, c := range []struct {
		state   sdk.TaskState
		started bool
		stop    Stop
		want    Verdict
		again   bool // of two failures, with one retry left
		lost    bool // the same with retryOnLost
	}{
		{sdk.TaskFinished, true, ByTime, Succeeded, false, false},
		{sdk.TaskFailed, true, "", Failed, true, true},
		{sdk.TaskError, false, "", Failed, true, true},
		{sdk.TaskKilled, true, "", Killed, false, false},
		{sdk.TaskKilled, true, ByTime, TimedOut, true, true},
		{sdk.TaskFailed, true, ByWish, Killed, false, false},
		{sdk.TaskDropped, false, "", Never, true, true},
		{sdk.TaskDropped, false, ByWish, Killed, false, false},
		{sdk.TaskGone, true, "", Lost, false, true},
		{sdk.TaskGoneByOperator, true, "", Lost, false, true},
		{sdk.TaskGone, false, "", Never, true, true},
		{sdk.TaskUnknown, false, "", Never, true, true},
		{sdk.TaskLost, true, ByTime, TimedOut, true, true},
	} {
		v := Judge(End{c.state, c.started, c.stop})
		if v != c.want || Again(v, 2, 2, false) != c.again || Again(v, 2, 2, true) != c.lost || !Terminal(c.state) {
			t.Errorf("%+v: %s", c, v)
		}
		if Again(v, 3, 2, true) != (v == Never) {
			t.Errorf("%s is tried for ever", v)
		}
	}
	live := []sdk.TaskState{sdk.TaskStaging, sdk.TaskStarting, sdk.TaskRunning, sdk.TaskKilling, sdk.TaskUnreachable}
	if slices.ContainsFunc(live, Terminal) {
		t.Error("a state that is not terminal ends an attempt")
	}
}
