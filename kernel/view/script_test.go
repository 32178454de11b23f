package view

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// TestScripts folds the events of testdata/*.txt, one in Mesos's JSON per line of
// an `apply`, and shows what readers then see. What a follower sees that begins
// with a snapshot must be the same.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		v := New(Options{CompletedTasks: 2, CompletedFrameworks: 1, Failures: 3, Statuses: 2})
		now := time.Unix(1700000000, 0)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "apply" {
				d.Fatalf(t, "unknown directive %q", d.Cmd)
			}
			for line := range strings.SplitSeq(d.Input, "\n") {
				e := &sdk.OperatorEvent{}
				if err := wire.Unmarshal(wire.JSON, []byte(line), e); err != nil {
					d.Fatalf(t, "%s: %v", line, err)
				}
				now = now.Add(time.Second)
				v.Apply(now, e)
			}
			out := show(v)
			follower := New(v.opt)
			follower.Apply(now, &sdk.OperatorEvent{Type: sdk.OperatorEventSubscribed, Subscribed: &sdk.OperatorSubscribed{GetState: v.State()}})
			follower.failures = v.failures
			if other := show(follower); other != out {
				t.Errorf("%s: a follower sees\n%s\nand not\n%s", d.Pos, other, out)
			}
			return out
		})
	})
}

func show(v *View) string {
	var b strings.Builder
	for _, a := range v.Agents().Agents {
		fmt.Fprintf(&b, "agent %s active=%v uses %s of %s", a.AgentInfo.ID, a.Active, sdk.Resources(a.AllocatedResources), sdk.Resources(a.TotalResources))
		if a.UnreachableTime != nil {
			fmt.Fprintf(&b, " unreachable since %d", a.UnreachableTime.Nanoseconds/1e9)
		}
		if a.Deactivated {
			fmt.Fprint(&b, " deactivated")
		}
		if a.DrainInfo != nil {
			fmt.Fprintf(&b, " %s", a.DrainInfo.State)
		}
		b.WriteByte('\n')
	}
	for _, n := range v.Notices() {
		fmt.Fprintf(&b, "notice %s: %s\n", n.Key, n.Message)
	}
	for _, a := range v.Agents().RecoveredAgents {
		fmt.Fprintf(&b, "agent %s is awaited\n", a.ID)
	}
	for _, f := range v.Frameworks().Frameworks {
		fmt.Fprintf(&b, "framework %s %q active=%v uses %s\n", f.FrameworkInfo.ID, f.FrameworkInfo.Name, f.Active, sdk.Resources(f.AllocatedResources))
	}
	for _, f := range v.Frameworks().CompletedFrameworks {
		fmt.Fprintf(&b, "framework %s was removed\n", f.FrameworkInfo.ID)
	}
	for _, x := range v.Executors().Executors {
		fmt.Fprintf(&b, "executor %s of %s on %s\n", x.ExecutorInfo.ExecutorID, x.ExecutorInfo.FrameworkID, x.AgentID)
	}
	tasks := v.Tasks()
	for _, list := range []struct {
		name  string
		tasks []sdk.Task
	}{{"live", tasks.Tasks}, {"unreachable", tasks.UnreachableTasks}, {"ended", tasks.CompletedTasks}} {
		for _, t := range list.tasks {
			fmt.Fprintf(&b, "%s %s/%s %s", list.name, t.FrameworkID, t.TaskID, t.State)
			for _, s := range t.Statuses {
				fmt.Fprintf(&b, " [%s %s]", s.State, s.Message)
			}
			b.WriteByte('\n')
		}
	}
	for _, f := range v.Failures().Failures {
		fmt.Fprintf(&b, "failed %d %s%s/%s %s %s\n", f.Time.Nanoseconds/1e9, f.AgentID, f.FrameworkID, f.TaskID, f.State, f.Message)
	}
	return b.String()
}

// TestAnswers holds the types of the answers.
func TestAnswers(t *testing.T) {
	v := New(Options{})
	for _, call := range []sdk.OperatorCallType{sdk.OperatorGetState, sdk.OperatorGetAgents, sdk.OperatorGetFrameworks, sdk.OperatorGetExecutors, sdk.OperatorGetTasks, sdk.OperatorGetFailures} {
		r := v.Answer(call)
		if r == nil || string(r.Type) != string(call) {
			t.Errorf("%s is answered %v", call, r)
			continue
		}
		if _, err := wire.Marshal(wire.JSON, r); err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
	if r := v.Answer(sdk.OperatorTeardown); r != nil {
		t.Errorf("TEARDOWN is answered %v", r)
	}
}

// TestPublic: streams of Mesos's clients get Mesos's events only.
func TestPublic(t *testing.T) {
	for _, v := range sdk.OperatorEventType("").Enum() {
		if got, want := Public(&sdk.OperatorEvent{Type: sdk.OperatorEventType(v.Name)}), v.Number < 1000; got != want {
			t.Errorf("%s is public: %v", v.Name, got)
		}
	}
}
