package link

import (
	"testing"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// FuzzCall: whatever an agent sends, it is read or refused, and what is found good is good
// again after it was written once more.
func FuzzCall(f *testing.F) {
	for _, c := range []Call{
		{Version: Version, Type: CallHeartbeat, AgentID: "a"},
		{Version: Version, Type: CallRegister, Register: &Register{BootID: "b", Cluster: "c", Time: 7, Agent: sdk.AgentInfo{Hostname: "h"},
			Tasks: []sdk.Task{{TaskID: "t", FrameworkID: "f", State: sdk.TaskRunning}}}},
		{Version: Version, Type: CallUpdate, AgentID: "a", Update: &Update{FrameworkID: "f", Status: sdk.TaskStatus{TaskID: "t", State: sdk.TaskKilled, UUID: make([]byte, 16)}}},
	} {
		seed(f, &c)
	}
	f.Fuzz(func(t *testing.T, data []byte) { again(t, data, &Call{}, &Call{}) })
}

// FuzzEvent: the same of what a leader sends.
func FuzzEvent(f *testing.F) {
	for _, e := range []Event{
		{Version: Version, Term: 1, Type: EventHeartbeat},
		{Version: Version, Type: EventKill, Kill: &Kill{FrameworkID: "f", TaskID: "t", Reason: sdk.ReasonAgentDraining, MaxGrace: &sdk.DurationInfo{Nanoseconds: 1}}},
		{Version: Version, Type: EventRun, Run: &Run{Framework: sdk.FrameworkInfo{ID: "f", User: "u", Name: "n"}, Tasks: []sdk.TaskInfo{{Name: "n", TaskID: "t", AgentID: "a"}}}},
	} {
		seed(f, &e)
	}
	f.Fuzz(func(t *testing.T, data []byte) { again(t, data, &Event{}, &Event{}) })
}

func seed(f *testing.F, message any) {
	data, err := wire.Marshal(wire.Msgpack, message)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
}

type validated interface{ Validate() error }

func again(t *testing.T, data []byte, first, second validated) {
	if wire.Unmarshal(wire.Msgpack, data, first) != nil || first.Validate() != nil {
		return
	}
	written, err := wire.Marshal(wire.Msgpack, first)
	if err != nil {
		t.Fatalf("what was read cannot be written: %v", err)
	}
	if err := wire.Unmarshal(wire.Msgpack, written, second); err != nil {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	if err := second.Validate(); err != nil {
		t.Fatalf("what was good is not good any more: %v", err)
	}
}
