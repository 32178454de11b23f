package plan

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
)

// TestScripts runs testdata/*.txt. A `decide` has the wanted side as arguments
// (n=, config=, min=, over=, select=, inactive=, expunge=, replace, stop) and one
// instance a line: task index config state age, and the words ready, doomed,
// unconfirmed, lost=AGE. Ages are seconds.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	for _, path := range paths {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "decide":
				return describe(Decide(start, wantedOf(t, d), instancesOf(t, d)))
			case "bounds":
				var b strings.Builder
				for line := range strings.SplitSeq(d.Input, "\n") {
					var n int
					var u app.UpgradeStrategy
					if _, err := fmt.Sscan(line, &n, &u.MinimumHealthCapacity, &u.MaximumOverCapacity); err != nil {
						d.Fatalf(t, "%s: %v", line, err)
					}
					floor, ceiling := Bounds(n, u)
					fmt.Fprintf(&b, "%s: at least %d, at most %d\n", line, floor, ceiling)
				}
				return b.String()
			case "backoff":
				return backoffs(t, d)
			}
			d.Fatalf(t, "unknown directive %q", d.Cmd)
			return ""
		})
	}
}

var start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func wantedOf(t *testing.T, d *datadriven.TestData) Wanted {
	w := Wanted{Config: "v2", Upgrade: app.UpgradeStrategy{MinimumHealthCapacity: 1, MaximumOverCapacity: 1}, KillSelection: app.YoungestFirst}
	strategy := app.UnreachableStrategy{}
	w.Unreachable = &strategy
	for _, arg := range d.CmdArgs {
		value := ""
		if len(arg.Vals) > 0 {
			value = arg.Vals[0]
		}
		number, _ := strconv.ParseFloat(value, 64)
		switch arg.Key {
		case "n":
			w.Instances = int(number)
		case "min":
			w.Upgrade.MinimumHealthCapacity = number
		case "over":
			w.Upgrade.MaximumOverCapacity = number
		case "config":
			w.Config = app.Version(value)
		case "select":
			w.KillSelection = app.KillSelection(value)
		case "inactive":
			strategy.InactiveAfter = int(number)
		case "expunge":
			strategy.ExpungeAfter = int(number)
		case "unreachable":
			w.Unreachable = nil
		case "replace":
			w.Replace = true
		case "stop":
			w.Stop = true
		default:
			d.Fatalf(t, "unknown argument %s", arg.Key)
		}
	}
	return w
}

func instancesOf(t *testing.T, d *datadriven.TestData) []Instance {
	states := map[string]State{"unreachable": Unreachable, "staging": Staging, "starting": Starting, "running": Running}
	var list []Instance
	for line := range strings.SplitSeq(d.Input, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		index, err := strconv.Atoi(words[1])
		age, err2 := strconv.Atoi(words[4])
		state, known := states[words[3]]
		if err != nil || err2 != nil || !known {
			d.Fatalf(t, "bad instance %q", line)
		}
		i := Instance{Task: sdk.TaskID(words[0]), Index: index, Config: app.Version(words[2]), State: state, Since: start.Add(-seconds(age))}
		for _, word := range words[5:] {
			switch k, v, _ := strings.Cut(word, "="); k {
			case "ready":
				i.Ready = true
			case "doomed":
				i.Doomed = true
			case "unconfirmed":
				i.Unconfirmed = true
			case "lost":
				n, _ := strconv.Atoi(v)
				i.Lost = start.Add(-seconds(n))
			default:
				d.Fatalf(t, "bad word %q", word)
			}
		}
		list = append(list, i)
	}
	return list
}

func describe(d Decision) string {
	var b strings.Builder
	if len(d.Launch) > 0 {
		fmt.Fprintf(&b, "launch %v\n", d.Launch)
	}
	for _, k := range d.Kill {
		fmt.Fprintf(&b, "kill %s: %s\n", k.Task, k.Reason)
	}
	for _, task := range d.Expunge {
		fmt.Fprintf(&b, "expunge %s\n", task)
	}
	if d.Done {
		b.WriteString("done\n")
	}
	if d.Waits != "" {
		fmt.Fprintf(&b, "%s\n", d.Waits)
	}
	if !d.Wake.IsZero() {
		fmt.Fprintf(&b, "look again in %v\n", d.Wake.Sub(start))
	}
	return b.String()
}

// backoffs lets an app fail at the seconds of the input, one a line.
func backoffs(t *testing.T, d *datadriven.TestData) string {
	a := &app.App{BackoffSeconds: 1, BackoffFactor: 1.15, MaxLaunchDelaySeconds: 300, LastConfigChangeAt: "v1"}
	for _, arg := range d.CmdArgs {
		number, err := strconv.ParseFloat(arg.Vals[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		switch arg.Key {
		case "seconds":
			a.BackoffSeconds = int(number)
		case "factor":
			a.BackoffFactor = number
		case "max":
			a.MaxLaunchDelaySeconds = int(number)
		}
	}
	var b strings.Builder
	var back Backoff
	for line := range strings.SplitSeq(d.Input, "\n") {
		words := strings.Fields(line)
		at, err := time.ParseDuration(words[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(words) > 1 {
			a.LastConfigChangeAt = app.Version(words[1])
		}
		back = back.Failed(start.Add(at), a)
		fmt.Fprintf(&b, "fails at %s: next launch after %v\n", line, back.Left(start.Add(at), a.LastConfigChangeAt))
	}
	return b.String()
}
