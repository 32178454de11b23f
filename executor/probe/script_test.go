package probe

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/sdk"
)

// world is one task of a script, with time in milliseconds from its start.
type world struct {
	now    time.Time
	checks []sdk.HealthCheck
	task   *Task
	took   time.Duration // of every probe
	out    strings.Builder
}

var birth = time.Unix(1000, 0)

// TestScripts runs testdata/*.txt. `task` has a check a line; `until T [OUTCOME…]`
// goes on to T, every probe having the outcome of its check: ok, or a cause.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		w := &world{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.out.Reset()
			switch d.Cmd {
			case "task":
				w.begin(t, d.Input)
			case "until":
				var end string
				end = d.CmdArgs[0].Key
				w.until(t, parse(t, end), d.CmdArgs[1:])
			case "takes":
				w.took = parse(t, d.CmdArgs[0].Key)
			case "restart":
				w.restart(t)
			default:
				d.Fatalf(t, "unknown directive %q", d.Cmd)
			}
			return w.out.String()
		})
	})
}

func parse(t *testing.T, text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (w *world) begin(t *testing.T, input string) {
	w.now, w.checks, w.took = birth, nil, 0
	for line := range strings.SplitSeq(input, "\n") {
		h := sdk.HealthCheck{}
		for _, f := range strings.Fields(line) {
			name, text, _ := strings.Cut(f, "=")
			var v float64
			if _, err := fmt.Sscan(text, &v); err != nil && text != "" {
				t.Fatal(err)
			}
			switch name {
			case "delay":
				h.DelaySeconds = &v
			case "interval":
				h.IntervalSeconds = &v
			case "timeout":
				h.TimeoutSeconds = &v
			case "grace":
				h.GracePeriodSeconds = &v
			case "failures":
				n := uint32(v)
				h.ConsecutiveFailures = &n
			case "report":
				h.ReportOnly = true
			case "defaults":
			default:
				t.Fatalf("unknown %q", f)
			}
		}
		w.checks = append(w.checks, h)
	}
	w.task = NewTask(w.checks, birth, birth, Memory{})
}

func (w *world) restart(t *testing.T) {
	data, err := w.task.Remember()
	if err != nil {
		t.Fatal(err)
	}
	m, err := Recall(data)
	if err != nil {
		t.Fatal(err)
	}
	w.task = NewTask(w.checks, birth, w.now, m)
	fmt.Fprintf(&w.out, "told %d updates\n", m.Told)
}

// until makes every probe that is due before end, one after the other.
func (w *world) until(t *testing.T, end time.Duration, outcomes []datadriven.CmdArg) {
	for {
		next := 0
		for i, c := range w.task.Checks {
			if c.Due().Before(w.task.Checks[next].Due()) {
				next = i
			}
		}
		c := w.task.Checks[next]
		if c.Due().Sub(birth) >= end {
			w.now = birth.Add(end)
			return
		}
		if c.Due().After(w.now) {
			w.now = c.Due()
		}
		early := c.early
		timeout := c.Begin(w.now)
		cause := outcomes[min(next, len(outcomes)-1)].Key
		if cause == "ok" {
			cause = ""
		}
		took := w.took
		if took > timeout {
			took, cause = timeout, "timeout"
		}
		began := w.now
		w.now = w.now.Add(took)
		v := c.End(w.now, cause)
		w.write(next, began, early, timeout, cause, v)
	}
}

func (w *world) write(i int, began time.Time, early bool, timeout time.Duration, cause string, v Verdict) {
	fmt.Fprintf(&w.out, "%v check %d", began.Sub(birth), i)
	if early {
		w.out.WriteString(" early")
	}
	fmt.Fprintf(&w.out, " (%v)", timeout)
	if cause == "" {
		cause = "ok"
	}
	fmt.Fprintf(&w.out, ": %s", cause)
	if v.Tell {
		r := w.task.Checks[i].Result()
		fmt.Fprintf(&w.out, " -> alive=%v failures=%d", *r.Alive, r.ConsecutiveFailures)
		if h := w.task.Healthy(); h == nil {
			w.out.WriteString(", healthy open")
		} else {
			fmt.Fprintf(&w.out, ", healthy=%v", *h)
		}
	}
	if v.End {
		w.out.WriteString(", END: " + Message(w.task.Results()))
	}
	w.out.WriteString("\n")
}
