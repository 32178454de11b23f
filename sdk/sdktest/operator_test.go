package sdktest_test

import (
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
	"github.com/profferhq/proffer/sdk/sdktest"
)

func TestOperatorsSeeAndKill(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{Agents: []sdktest.Agent{{Name: "left"}, {Name: "right", Attributes: "rack:b"}}})
	s := runSubject(t, k, "sleep infinity")
	s.wants(sdk.TaskRunning)
	op, ctx := k.Operator(), t.Context()
	state, err := op.State(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(state.GetAgents.Agents); n != 2 {
		t.Errorf("%d agents", n)
	}
	if n := len(state.GetTasks.Tasks); n != 1 || state.GetTasks.Tasks[0].State != sdk.TaskRunning {
		t.Errorf("tasks = %+v", state.GetTasks.Tasks)
	}
	if leader, err := op.WhoLeads(ctx); err != nil || leader.ID == "" {
		t.Errorf("WhoLeads = %+v, %v", leader, err)
	}
	if version, err := op.Version(ctx); err != nil || version.Version != sdktest.Version {
		t.Errorf("Version = %+v, %v", version, err)
	}
	if err := op.Kill(ctx, s.f.ID(), "t1", time.Second); err != nil {
		t.Fatal(err)
	}
	s.wants(sdk.TaskKilled)
	if err := op.Kill(ctx, s.f.ID(), "t9", 0); err == nil {
		t.Error("killed a task that never was")
	}
	if err := op.Teardown(ctx, s.f.ID()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-s.done:
		if sdk.CodeOf(err) != sdk.CodeGone {
			t.Errorf("the framework's end = %v", err)
		}
		s.done <- err
	case <-time.After(10 * time.Second):
		t.Error("the framework goes on after its teardown")
	}
}

func TestOperatorsFollowEvents(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	seen := make(chan sdk.OperatorEventType, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- k.Operator().Subscribe(t.Context(), func(e *sdk.OperatorEvent) error {
			seen <- e.Type
			if e.TaskUpdated != nil && e.TaskUpdated.State == sdk.TaskFinished {
				return operator.Stop
			}
			return nil
		})
	}()
	if first := <-seen; first != sdk.OperatorEventSubscribed {
		t.Fatalf("the first event is %s", first)
	}
	runSubject(t, k, "true").wants(sdk.TaskFinished)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	kinds := map[sdk.OperatorEventType]int{}
	for len(seen) > 0 {
		kinds[<-seen]++
	}
	if kinds[sdk.OperatorEventFrameworkAdded] != 1 || kinds[sdk.OperatorEventTaskAdded] != 1 || kinds[sdk.OperatorEventTaskUpdated] < 2 {
		t.Errorf("events = %v", kinds)
	}
}
