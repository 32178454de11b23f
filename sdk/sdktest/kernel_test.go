package sdktest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/sdktest"
)

// subject is a framework under test that runs one task and tells what it hears.
type subject struct {
	t        *testing.T
	f        *framework.Framework
	updates  chan sdk.TaskStatus
	rescinds chan sdk.OfferID
	done     chan error
}

// runSubject subscribes a framework that runs the command on its first offer; an
// empty command holds the offer.
func runSubject(t *testing.T, k *sdktest.Kernel, command string, checks ...sdk.HealthCheck) *subject {
	t.Helper()
	f, err := framework.New(k.Framework("subject"))
	if err != nil {
		t.Fatal(err)
	}
	s := &subject{t: t, f: f, updates: make(chan sdk.TaskStatus, 100), rescinds: make(chan sdk.OfferID, 100), done: make(chan error, 1)}
	launched := command == ""
	resources, err := sdk.ParseResources("cpus:1;mem:64")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		s.done <- f.Run(ctx, framework.Handlers{
			Offers: func(_ context.Context, offers []sdk.Offer) error {
				if launched {
					return nil
				}
				launched = true
				return f.Launch(offers[0], sdk.TaskInfo{Name: "t", TaskID: "t1", Resources: resources, Command: &sdk.CommandInfo{Value: command}, HealthChecks: checks})
			},
			Update: func(_ context.Context, status sdk.TaskStatus) error {
				s.updates <- status
				return nil
			},
			Rescind: func(_ context.Context, offer sdk.OfferID) error {
				select {
				case s.rescinds <- offer:
				default: // nobody counts them
				}
				return nil
			},
		}.Handle)
	}()
	t.Cleanup(func() {
		cancel()
		<-s.done
	})
	return s
}

// wants takes updates until the state comes.
func (s *subject) wants(state sdk.TaskState) sdk.TaskStatus {
	s.t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case status := <-s.updates:
			if status.State == state {
				return status
			}
			s.t.Logf("passed over %s %s", status.State, status.Message)
		case <-late:
			s.t.Fatalf("no %s came", state)
		}
	}
}

func TestATaskRuns(t *testing.T) {
	s := runSubject(t, sdktest.New(t, sdktest.Options{}), "exit 7")
	s.wants(sdk.TaskRunning)
	if status := s.wants(sdk.TaskFailed); status.Message != "Command exited with status 7" {
		t.Errorf("status = %+v", status)
	}
}

func TestAdvanceEndsALongTask(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	s := runSubject(t, k, "sleep 3600")
	s.wants(sdk.TaskRunning)
	k.Advance(59 * time.Minute)
	if n := len(k.Running()); n != 1 {
		t.Errorf("%d tasks run after 59 minutes", n)
	}
	k.Advance(2 * time.Minute)
	s.wants(sdk.TaskFinished)
}

func TestAnIdleOfferIsRescinded(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{OfferTimeout: time.Minute})
	s := runSubject(t, k, "")
	for range 100 { // the offer comes when the stream stands
		k.Advance(10 * time.Second)
		select {
		case <-s.rescinds:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Error("no RESCIND came")
}

func TestALostMachineIsUnreachableThenGone(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	s := runSubject(t, k, "sleep infinity")
	s.wants(sdk.TaskRunning)
	k.KillAgent("agent1")
	k.Advance(time.Minute)
	s.wants(sdk.TaskUnreachable)
	k.StartAgent("agent1")
	s.wants(sdk.TaskGone)
}

func TestAPartitionedAgentKeepsItsTask(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	s := runSubject(t, k, "sleep infinity")
	s.wants(sdk.TaskRunning)
	k.PartitionAgent("agent1")
	k.Advance(time.Minute)
	s.wants(sdk.TaskUnreachable)
	k.HealAgent("agent1")
	s.wants(sdk.TaskRunning)
	if n := len(k.Running()); n != 1 {
		t.Errorf("%d tasks run", n)
	}
}

func TestAnAgentRestartKeepsItsTask(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	s := runSubject(t, k, "sleep 100")
	s.wants(sdk.TaskRunning)
	k.RestartAgent("agent1")
	k.KillExecutors("agent1")
	k.Advance(2 * time.Minute)
	s.wants(sdk.TaskFinished)
}

func TestALostUpdateComesAgain(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	k.LoseUpdates(1)
	s := runSubject(t, k, "sleep 1000")
	for late := time.After(30 * time.Second); len(k.Running()) != 1; {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-late:
			t.Fatal("nothing runs")
		}
	}
	select {
	case status := <-s.updates:
		t.Fatalf("%s was not lost", status.State)
	case <-time.After(50 * time.Millisecond):
	}
	k.Advance(11 * time.Second)
	s.wants(sdk.TaskRunning)
}

func TestDroppedStreamsAndNewLeaders(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	s := runSubject(t, k, "sleep 1000")
	s.wants(sdk.TaskRunning)
	id := s.f.ID()
	k.DropStreams()
	s.wants(sdk.TaskRunning) // reconciled, or told again
	k.Elect()
	s.wants(sdk.TaskRunning)
	k.Advance(1001 * time.Second)
	s.wants(sdk.TaskFinished)
	if s.f.ID() != id {
		t.Errorf("the framework became %s", s.f.ID())
	}
}

func TestOutcomesByFunction(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{Run: func(sdk.TaskInfo) sdktest.Outcome {
		return sdktest.Outcome{State: sdk.TaskFailed, Reason: sdk.ReasonContainerLimitationMemory, Message: "Memory limit exceeded"}
	}})
	s := runSubject(t, k, "anything")
	if status := s.wants(sdk.TaskFailed); status.Reason != sdk.ReasonContainerLimitationMemory {
		t.Errorf("status = %+v", status)
	}
	refusing := sdktest.New(t, sdktest.Options{Run: func(sdk.TaskInfo) sdktest.Outcome { return sdktest.Outcome{Refuse: "no such file"} }})
	s = runSubject(t, refusing, "anything")
	if status := s.wants(sdk.TaskFailed); status.Reason != sdk.ReasonContainerLaunchFailed {
		t.Errorf("status = %+v", status)
	}
}

func TestEndATaskByHand(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	s := runSubject(t, k, "sleep infinity")
	s.wants(sdk.TaskRunning)
	if err := k.End("t1", sdktest.Outcome{Signal: "Killed"}); err != nil {
		t.Fatal(err)
	}
	s.wants(sdk.TaskFailed)
	if err := k.End("t1", sdktest.Outcome{}); sdk.CodeOf(err) != sdk.CodeNotFound {
		t.Errorf("End of nothing = %v", err)
	}
}

func TestWithoutTheTokenNothing(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	o := k.Framework("stranger")
	o.Token = "guess"
	if err := framework.Run(t.Context(), o, func(context.Context, *sdk.Event) error { return nil }); sdk.CodeOf(err) != sdk.CodeUnauthenticated {
		t.Errorf("Run = %v", err)
	}
	open := sdktest.New(t, sdktest.Options{Token: "-"})
	s := runSubject(t, open, "true")
	s.wants(sdk.TaskFinished)
}

// TestInABubble runs a day of a framework inside synctest, where time is the
// bubble's and nothing is waited for.
func TestInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &sdktest.Memory{}
		k, err := sdktest.Start(sdktest.Options{Network: net})
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		f, err := framework.New(k.Framework("bubble"))
		if err != nil {
			t.Fatal(err)
		}
		resources, _ := sdk.ParseResources("cpus:1;mem:64")
		began := time.Now()
		err = f.Run(t.Context(), framework.Handlers{
			Offers: func(_ context.Context, offers []sdk.Offer) error {
				return f.Launch(offers[0], sdk.TaskInfo{Name: "t", TaskID: "t1", Resources: resources, Command: &sdk.CommandInfo{Value: "sleep 7200"}})
			},
			Update: func(_ context.Context, status sdk.TaskStatus) error {
				if status.State == sdk.TaskFinished {
					return framework.Stop
				}
				return nil
			},
		}.Handle)
		if took := time.Since(began); err != nil || took < 2*time.Hour || took > 3*time.Hour {
			t.Errorf("Run = %v after %v", err, took)
		}
	})
}
