package container

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/sdk"
)

// TestScripts runs testdata: each line is a time and an input, and what comes out is
// the effects and the state. The clock starts at 0 with each `new`.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var c *Container
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				c = New(DefaultOptions())
				return ""
			case "run":
				var out strings.Builder
				for line := range strings.Lines(d.Input) {
					f := strings.Fields(line)
					at, err := time.ParseDuration(f[0])
					if err != nil {
						d.Fatalf(t, "%v", err)
					}
					effects := c.Step(start().Add(at), parse(t, d, f[1:]))
					fmt.Fprintf(&out, "%s -> %s%s%s\n", strings.TrimSpace(line), c.State(), show(effects), deadline(c))
				}
				return out.String()
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func start() time.Time { return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }

func deadline(c *Container) string {
	if at, ok := c.Deadline(); ok {
		return fmt.Sprintf(", due at %v", at.Sub(start()))
	}
	return ""
}

func parse(t *testing.T, d *datadriven.TestData, f []string) Input {
	rest := strings.Join(f[1:], " ")
	switch f[0] {
	case "begin":
		return Begin{}
	case "prepared":
		in := Prepared{Err: rest}
		if rest != "" {
			in.Reason = sdk.ReasonContainerLaunchFailed
		}
		return in
	case "started":
		return Started{Err: rest}
	case "exited":
		n, err := strconv.ParseUint(rest, 10, 32)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		return Exited{WaitStatus: uint32(n)}
	case "kill":
		if rest == "" {
			return Kill{Grace: -1}
		}
		grace, err := time.ParseDuration(rest)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		return Kill{Grace: grace}
	case "limited":
		return Limited{Limit{sdk.ReasonContainerLimitationMemory, rest}}
	case "destroyed":
		return Destroyed{Err: rest}
	case "destroyed-at-limit":
		return Destroyed{Limit: &Limit{sdk.ReasonContainerLimitationMemory, rest}}
	case "cleaned":
		return Cleaned{Err: rest}
	case "tick":
		return Tick{}
	}
	d.Fatalf(t, "unknown input %s", f[0])
	return nil
}

func show(effects []Effect) string {
	var out []string
	for _, e := range effects {
		switch e := e.(type) {
		case Ended:
			out = append(out, showEnd(e))
		case Alarm:
			out = append(out, "alarm("+e.Message+")")
		default:
			out = append(out, strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", e), "container.Do")))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, ", ")
}

func showEnd(e Ended) string {
	var words []string
	if e.Known {
		words = append(words, fmt.Sprintf("status %d", e.WaitStatus))
	} else if e.Failure == "" {
		words = append(words, "status unknown")
	}
	if e.Killed {
		words = append(words, "killed")
	}
	if e.Limit != nil {
		words = append(words, string(e.Limit.Reason), e.Limit.Message)
	}
	if e.Failure != "" {
		words = append(words, string(e.Reason), e.Failure)
	}
	return "ended(" + strings.Join(words, ", ") + ")"
}
