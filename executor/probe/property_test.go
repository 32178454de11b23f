package probe

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/profferhq/proffer/sdk"
)

// twin says by brute force what a check does whose probes take no time: it looks
// at every millisecond whether one is due, and counts from the whole history.
type twin struct {
	rule    Rule
	history []outcome // of the probes that count or may
}

type outcome struct {
	at    time.Duration
	early bool
	cause string
}

func (w *twin) due(at time.Duration) (due, early bool) {
	if at >= w.rule.Delay {
		return (at-w.rule.Delay)%w.rule.Interval == 0, false
	}
	for _, o := range w.history {
		if o.cause == "" {
			return false, false
		}
	}
	for try := 20 * time.Millisecond; try <= at; try *= 2 {
		if try == at {
			return true, true
		}
	}
	return false, false
}

func (w *twin) result() (r sdk.HealthResult, end bool) {
	for _, o := range w.history {
		at := float64(birth.Add(o.at).UnixMicro()) / 1e6
		if o.cause == "" {
			r.Alive, r.ConsecutiveFailures, r.LastSuccess = alive(true), 0, at
			if r.FirstSuccess == 0 {
				r.FirstSuccess = at
			}
		} else if !o.early && (r.FirstSuccess > 0 || o.at >= w.rule.Grace) {
			r.Alive, r.LastFailure, r.LastFailureCause = alive(false), at, o.cause
			r.ConsecutiveFailures++
			end = r.ConsecutiveFailures >= w.rule.Failures && !w.rule.ReportOnly
		}
	}
	return r, end
}

func drawRule(t *rapid.T) Rule {
	ms := func(name string, from, to int) time.Duration {
		return time.Duration(rapid.IntRange(from, to).Draw(t, name)) * time.Millisecond
	}
	return Rule{Delay: ms("delay", 0, 700), Interval: ms("interval", 100, 400), Timeout: ms("timeout", 10, 600),
		Grace: ms("grace", 0, 900), Failures: uint32(rapid.IntRange(1, 4).Draw(t, "failures")), ReportOnly: rapid.Bool().Draw(t, "report")}
}

// TestCheckIsItsTwin: the same probes, at the same times, with the same results,
// though executors die in between.
func TestCheckIsItsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := drawRule(t)
		c, w := New(rule, birth, birth, sdk.HealthResult{}), &twin{rule: rule}
		for at := time.Duration(0); at < 3*time.Second; at += time.Millisecond {
			now := birth.Add(at)
			due, early := w.due(at)
			if due != !c.Due().After(now) || due && early != c.early {
				t.Fatalf("at %v a probe is due: %v, early: %v; the check says %v, early: %v", at, due, early, c.Due().Sub(birth), c.early)
			}
			if !due {
				if rapid.IntRange(0, 200).Draw(t, "crash") == 0 {
					c = New(rule, birth, now, c.Result())
				}
				continue
			}
			before := c.Result()
			cause := rapid.SampledFrom([]string{"", "refused"}).Draw(t, "cause")
			if timeout := c.Begin(now); timeout <= 0 || timeout > rule.Timeout {
				t.Fatalf("a probe may take %v", timeout)
			}
			v := c.End(now, cause)
			w.history = append(w.history, outcome{at, early, cause})
			want, end := w.result()
			if got := c.Result(); !reflect.DeepEqual(got, want) {
				t.Fatalf("at %v the result is %+v, want %+v", at, got, want)
			}
			counted := want.LastFailure != before.LastFailure
			turned := (before.Alive == nil) != (want.Alive == nil) || before.Alive != nil && *before.Alive != *want.Alive
			if v.Tell != (counted || turned) || v.End != (end && counted) {
				t.Fatalf("at %v the verdict is %+v; counted %v, turned %v, end %v", at, v, counted, turned, end)
			}
		}
	})
}

// TestProbesTakeTime: whatever a probe takes, the next is not due before it ended,
// nor later than its interval says, and an early failure counts for nothing.
func TestProbesTakeTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := drawRule(t)
		c, now := New(rule, birth, birth, sdk.HealthResult{}), birth
		for range 30 {
			if c.Due().Before(now) {
				t.Fatalf("due at %v, before %v", c.Due().Sub(birth), now.Sub(birth))
			}
			now = c.Due().Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "late")) * time.Millisecond)
			early, before := c.early, c.Result()
			timeout := c.Begin(now)
			if !c.Due().IsZero() {
				t.Fatal("a second probe is due while one is under way")
			}
			began := now
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(timeout)).Draw(t, "took")))
			v := c.End(now, "refused")
			if early && (v.Tell || v.End || !reflect.DeepEqual(before, c.Result())) {
				t.Fatalf("an early failure counted: %+v", c.Result())
			}
			latest := began.Add(rule.Interval)
			if regular := birth.Add(rule.Delay); early && latest.Before(regular) {
				latest = regular
			}
			if latest.Before(now) {
				latest = now
			}
			if c.Due().After(latest) {
				t.Fatalf("the next probe is due at %v, later than %v", c.Due().Sub(birth), latest.Sub(birth))
			}
		}
	})
}

func FuzzRecall(f *testing.F) {
	task := NewTask(make([]sdk.HealthCheck, 2), birth, birth, Memory{})
	task.Checks[0].succeeded(birth)
	task.Checks[1].failed(birth, "refused")
	data, err := task.Remember()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Recall(data)
		if err != nil {
			return
		}
		checks := make([]sdk.HealthCheck, len(m.Results))
		again, err := NewTask(checks, birth, birth.Add(time.Hour), m).Remember()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if back, err := Recall(again); err != nil || back.Told != m.Told+1 || len(back.Results) != len(m.Results) {
			t.Fatalf("read again: %+v, %v", back, err)
		}
	})
}

func TestRecallRefusesNewerAndTooMany(t *testing.T) {
	newer := &Task{}
	data, _ := newer.Remember()
	data[2] = memoryVersion + 1 // {1: 1, …}
	if _, err := Recall(data); sdk.CodeOf(err) != sdk.CodeUnsupported {
		t.Errorf("a newer version: %v", err)
	}
	many := NewTask(make([]sdk.HealthCheck, sdk.MaxHealthChecks+1), birth, birth, Memory{})
	data, _ = many.Remember()
	if _, err := Recall(data); sdk.CodeOf(err) != sdk.CodeInvalid {
		t.Errorf("too many results: %v", err)
	}
}

func TestCauseIsValidAndShort(t *testing.T) {
	long := make([]byte, 0, 2000)
	for range 500 {
		long = append(long, "ä\xff"...)
	}
	if got := sentence(string(long)); len(got) > maxCause || sentence(got) != got {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}
