package link

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

var update = flag.Bool("update", false, "write testdata/golden.txt anew; only for a new message or a new Version")

// samples is one message of each type.
func samples() (calls []*Call, events []*Event) {
	status := sdk.TaskStatus{TaskID: "t", State: sdk.TaskRunning, Source: sdk.SourceExecutor, UUID: []byte("0123456789abcdef"), Timestamp: 1.5}
	call := func(c Call) {
		c.Version, c.AgentID = Version, "a"
		calls = append(calls, &c)
	}
	call(Call{Type: CallRegister, Register: &Register{
		Agent:  sdk.AgentInfo{ID: "a", Hostname: "h", Port: 5051, Resources: []sdk.Resource{sdk.NewScalar("cpus", 1.5)}},
		BootID: "b", Software: "1.0", Address: "h:5051", Highest: Fence{2, 7},
		Frameworks: []sdk.FrameworkInfo{{ID: "f", User: "u", Name: "n"}},
		Executors:  []sdk.ExecutorInfo{{ExecutorID: "x", FrameworkID: "f"}},
		Tasks: []sdk.Task{{Name: "n", TaskID: "t", FrameworkID: "f", AgentID: "a", State: sdk.TaskFinished,
			StatusUpdateState: sdk.TaskRunning, StatusUpdateUUID: []byte("u")}},
	}})
	call(Call{Type: CallUpdate, Update: &Update{FrameworkID: "f", Status: status, Latest: sdk.TaskFinished}})
	call(Call{Type: CallReconciled, Reconciled: &Reconciled{FrameworkID: "f", Status: sdk.TaskStatus{TaskID: "t", State: sdk.TaskGone}}})
	call(Call{Type: CallExecutorExited, ExecutorExited: &ExecutorExited{FrameworkID: "f", ExecutorID: "x", Status: 768, Message: "m"}})
	call(Call{Type: CallMessage, Message: &Message{FrameworkID: "f", ExecutorID: "x", Data: []byte{0, 1}}})
	call(Call{Type: CallResources, Resources: &Resources{Resources: []sdk.Resource{sdk.NewScalar("mem", 64)}}})
	call(Call{Type: CallHeartbeat})
	event := func(e Event) {
		e.Version, e.Generation, e.Term = Version, 2, 7
		events = append(events, &e)
	}
	event(Event{Type: EventRegistered, Registered: &Registered{AgentID: "a", HeartbeatSeconds: 2.5, Cluster: "c"}})
	event(Event{Type: EventRun, Run: &Run{Framework: sdk.FrameworkInfo{ID: "f", User: "u", Name: "n"}, Executor: &sdk.ExecutorInfo{ExecutorID: "x"},
		Tasks: []sdk.TaskInfo{{Name: "n", TaskID: "t", AgentID: "a"}}, Group: true, FrameworkPrincipal: "p", AllowedUsers: []string{"root"}}})
	event(Event{Type: EventKill, Kill: &Kill{FrameworkID: "f", TaskID: "t", KillPolicy: &sdk.KillPolicy{GracePeriod: &sdk.DurationInfo{Nanoseconds: 5}}}})
	event(Event{Type: EventAcknowledge, Acknowledge: &Acknowledge{FrameworkID: "f", TaskID: "t", UUID: []byte("u")}})
	event(Event{Type: EventMessage, Message: &Message{FrameworkID: "f", ExecutorID: "x", Data: []byte{2}}})
	event(Event{Type: EventShutdownExecutor, ShutdownExecutor: &ShutdownExecutor{FrameworkID: "f", ExecutorID: "x"}})
	event(Event{Type: EventShutdownFramework, ShutdownFramework: &ShutdownFramework{FrameworkID: "f"}})
	event(Event{Type: EventFramework, Framework: &Framework{Info: sdk.FrameworkInfo{ID: "f", User: "u", Name: "n"}}})
	event(Event{Type: EventReconcile, Reconcile: &Reconcile{FrameworkID: "f", TaskID: "t"}})
	event(Event{Type: EventHeartbeat})
	event(Event{Type: EventShutdown, Shutdown: &Shutdown{Message: "gone"}})
	event(Event{Type: EventNotice, Notice: &Notice{Message: "nobody reaches you"}})
	return calls, events
}

// TestGolden holds the bytes of version 1 for ever: an agent and a master of
// different ages must understand each other.
func TestGolden(t *testing.T) {
	var b strings.Builder
	calls, events := samples()
	line := func(kind string, v any) {
		data, err := wire.Marshal(wire.Msgpack, v)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		fmt.Fprintf(&b, "%s %s\n", kind, hex.EncodeToString(data))
	}
	for _, c := range calls {
		line("call "+string(c.Type), c)
	}
	for _, e := range events {
		line("event "+string(e.Type), e)
	}
	if len(calls) != len(CallType("").Enum()) || len(events) != len(EventType("").Enum()) {
		t.Fatal("not every type has a sample")
	}
	if *update {
		if err := os.WriteFile("testdata/golden.txt", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the bytes differ from testdata/golden.txt; they may not change within a version\n%s", b.String())
	}
}

func TestGoldenIsRead(t *testing.T) {
	calls, events := samples()
	text, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		f := strings.Fields(l)
		data, err := hex.DecodeString(f[2])
		if err != nil {
			t.Fatal(err)
		}
		if f[0] == "call" {
			got := &Call{}
			if err := wire.Unmarshal(wire.Msgpack, data, got); err != nil || !reflect.DeepEqual(got, calls[i]) || got.Validate() != nil {
				t.Errorf("%s: %v, %v, %+v", f[1], err, got.Validate(), got)
			}
			continue
		}
		got := &Event{}
		if err := wire.Unmarshal(wire.Msgpack, data, got); err != nil || !reflect.DeepEqual(got, events[i-len(calls)]) || got.Validate() != nil {
			t.Errorf("%s: %v, %v, %+v", f[1], err, got.Validate(), got)
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	field := func(err error) string {
		var e *sdk.Error
		if !errors.As(err, &e) {
			return fmt.Sprint(err)
		}
		return string(e.Code) + " " + e.Field
	}
	calls, events := samples()
	for _, row := range []struct {
		want  string
		spoil func(*Call, *Event)
	}{
		{"invalid version", func(c *Call, e *Event) { c.Version, e.Version = 0, 0 }},
		{"unsupported version", func(c *Call, e *Event) { c.Version, e.Version = Version+1, Version+1 }},
		{"invalid type", func(c *Call, e *Event) { c.Type, e.Type = "NOSUCH", "NOSUCH" }},
	} {
		c, e := *calls[1], *events[1]
		row.spoil(&c, &e)
		if got := field(c.Validate()); got != row.want {
			t.Errorf("call: %s, want %s", got, row.want)
		}
		if got := field(e.Validate()); got != row.want {
			t.Errorf("event: %s, want %s", got, row.want)
		}
	}
	for want, c := range map[string]Call{
		"invalid update":                  {Type: CallUpdate},
		"invalid agent_id":                {Type: CallHeartbeat, AgentID: "a/b"},
		"invalid update.status.uuid":      {Type: CallUpdate, AgentID: "a", Update: &Update{FrameworkID: "f", Status: sdk.TaskStatus{TaskID: "t", State: sdk.TaskRunning}}},
		"invalid register.boot_id":        {Type: CallRegister, Register: &Register{Agent: sdk.AgentInfo{Hostname: "h"}}},
		"invalid register.agent.hostname": {Type: CallRegister, Register: &Register{BootID: "b", Agent: sdk.AgentInfo{Hostname: "h\x1b[2J"}}},
		"invalid register.software":       {Type: CallRegister, Register: &Register{BootID: "b", Agent: sdk.AgentInfo{Hostname: "h"}, Software: strings.Repeat("1", 1025)}},
		"invalid register.address":        {Type: CallRegister, Register: &Register{BootID: "b", Agent: sdk.AgentInfo{Hostname: "h"}, Address: "h\n:1"}},
		"invalid register.agent.attributes[1].text.value": {Type: CallRegister, Register: &Register{BootID: "b", Agent: sdk.AgentInfo{Hostname: "h",
			Attributes: []sdk.Attribute{{Name: "rack", Text: &sdk.Text{Value: "r1"}}, {Name: "rack", Text: &sdk.Text{Value: "r\n2"}}}}}},
		"invalid resources.attributes[0].name":        {Type: CallResources, AgentID: "a", Resources: &Resources{Attributes: []sdk.Attribute{{Name: "\t"}}}},
		"invalid resources.attributes[0].set.item[1]": {Type: CallResources, AgentID: "a", Resources: &Resources{Attributes: []sdk.Attribute{{Name: "s", Set: &sdk.Set{Item: []string{"a", "\r"}}}}}},
	} {
		c.Version = Version
		if got := field(c.Validate()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for want, e := range map[string]Event{
		"invalid run.tasks":                    {Type: EventRun, Run: &Run{Framework: sdk.FrameworkInfo{ID: "f"}}},
		"invalid run.framework.id":             {Type: EventRun, Run: &Run{}},
		"invalid kill.task_id":                 {Type: EventKill, Kill: &Kill{FrameworkID: "f"}},
		"invalid registered.heartbeat_seconds": {Type: EventRegistered, Registered: &Registered{AgentID: "a"}},
	} {
		e.Version = Version
		if got := field(e.Validate()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestFence(t *testing.T) {
	order := []Fence{{}, {0, 1}, {1, 0}, {1, 9}, {2, 1}}
	for i, a := range order {
		for j, b := range order {
			if got := a.Compare(b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%v against %v: %d", a, b, got)
			}
		}
	}
}
