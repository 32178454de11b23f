package framework_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/wire"
)

// subscribedMaster is a master with one framework on it, past the first
// reconciliation.
func subscribedMaster(t *testing.T, o func(*framework.Options), handle framework.Handler) (*fakeMaster, *framework.Framework, *fakeStream) {
	t.Helper()
	m, net := newFakeMaster(t), &sdktest.Memory{}
	net.Serve("m1:5050", m)
	opts := options(net, "m1:5050")
	if o != nil {
		o(&opts)
	}
	f, _ := start(t, opts, handle)
	s := <-m.subscribe
	s.events <- subscribed("f-1")
	<-m.calls
	return m, f, s
}

func TestCallsMadeMeanwhileTravelTogether(t *testing.T) {
	for _, enc := range []wire.Encoding{wire.Msgpack, wire.JSON, wire.Protobuf} {
		synctest.Test(t, func(t *testing.T) {
			m, f, _ := subscribedMaster(t, func(o *framework.Options) { o.Encoding = enc }, ignore)
			hold := make(chan struct{})
			m.answer = func(_ []sdk.Call, w http.ResponseWriter) {
				<-hold
				w.WriteHeader(http.StatusAccepted)
			}
			for i := range 17 {
				if err := f.Kill(sdk.TaskID(fmt.Sprintf("t%02d", i)), "", 0); err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					synctest.Wait() // the first is on its way alone
				}
			}
			close(hold)
			if got := describe(<-m.calls); got != "KILL t00" {
				t.Errorf("first request: %s", got)
			}
			batch := <-m.calls
			if len(batch) != 16 || batch[15].Kill.TaskID != "t16" || batch[15].FrameworkID != "f-1" {
				t.Errorf("second request: %s", describe(batch))
			}
			if got := m.requests[len(m.requests)-1].Header.Get("Mesos-Stream-Id"); got != "stream-1" {
				t.Errorf("Mesos-Stream-Id = %q", got)
			}
		})
	}
}

func TestUpdatesAreAcknowledgedAfterTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stored := make(chan struct{})
		m, _, s := subscribedMaster(t, nil, framework.Handlers{
			Update: func(context.Context, sdk.TaskStatus) error { <-stored; return nil },
		}.Handle)
		s.events <- update("t1", sdk.TaskFinished, "0123456789abcdef")
		s.events <- update("t2", sdk.TaskLost, "") // made by a master: no uuid, no acknowledgement
		synctest.Wait()
		if len(m.calls) != 0 {
			t.Fatalf("sent before the handler was done: %s", describe(<-m.calls))
		}
		close(stored)
		got := <-m.calls
		if describe(got) != "ACKNOWLEDGE t1" || string(got[0].Acknowledge.UUID) != "0123456789abcdef" {
			t.Errorf("sent %s", describe(got))
		}
		synctest.Wait()
		if len(m.calls) != 0 {
			t.Errorf("sent %s", describe(<-m.calls))
		}
	})
}

func TestExplicitAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f, s := subscribedMaster(t, func(o *framework.Options) { o.ExplicitAck = true }, ignore)
		event := update("t1", sdk.TaskFinished, "0123456789abcdef")
		s.events <- event
		synctest.Wait()
		if len(m.calls) != 0 {
			t.Fatalf("sent %s", describe(<-m.calls))
		}
		_ = f.Acknowledge(event.Update.Status)
		if got := describe(<-m.calls); got != "ACKNOWLEDGE t1" {
			t.Errorf("sent %s", got)
		}
	})
}

// TestLaunchesInDoubtAreAskedFor: an ACCEPT whose leader died is asked about by
// name under the next one, again at heartbeats while nothing answers, and no more
// once a status has come.
func TestLaunchesInDoubtAreAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f, s := subscribedMaster(t, nil, ignore)
		offer := sdk.Offer{ID: "o1", AgentID: "a1"}
		_ = f.Launch(offer, sdk.TaskInfo{TaskID: "t1"}, sdk.TaskInfo{TaskID: "t2"})
		if got := <-m.calls; got[0].Accept.Operations[0].Launch.TaskInfos[1].AgentID != "a1" {
			t.Errorf("agent id not filled in")
		}
		s.events <- update("t1", sdk.TaskRunning, "")
		synctest.Wait()
		close(s.events)
		s = <-m.subscribe
		s.events <- subscribed("f-1")
		if got := m.heard(); got != "RECONCILE, RECONCILE t2" {
			t.Errorf("after SUBSCRIBED: %s", got)
		}
		time.Sleep(15 * time.Second) // synctest
		s.events <- &sdk.Event{Type: sdk.EventHeartbeat}
		if got := describe(<-m.calls); got != "RECONCILE t2" {
			t.Errorf("at a heartbeat: %s", got)
		}
		s.events <- update("t2", sdk.TaskGone, "")
		time.Sleep(15 * time.Second) // synctest
		s.events <- &sdk.Event{Type: sdk.EventHeartbeat}
		synctest.Wait()
		if len(m.calls) != 0 {
			t.Errorf("asked again after an answer: %s", describe(<-m.calls))
		}
	})
}

// TestWhatMayBeSaidTwiceSurvivesALostLeader: a KILL made while a leader dies
// reaches the next one, an ACCEPT does not.
func TestWhatMayBeSaidTwiceSurvivesALostLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost []string
		m, f, s := subscribedMaster(t, func(o *framework.Options) {
			o.Refused = func(calls []sdk.Call, err error) { lost = append(lost, describe(calls)) }
		}, ignore)
		m.answer = func(_ []sdk.Call, w http.ResponseWriter) {
			http.Error(w, "no leader elected", http.StatusServiceUnavailable)
		}
		_ = f.Kill("t1", "", 0)
		_ = f.Launch(sdk.Offer{ID: "o1", AgentID: "a1"}, sdk.TaskInfo{TaskID: "t2"})
		<-m.calls
		m.answer = nil
		close(s.events)
		s = <-m.subscribe
		if err := f.Decline(0, sdk.Offer{ID: "o2"}); sdk.CodeOf(err) != sdk.CodeConflict {
			t.Errorf("Decline while not subscribed = %v", err)
		}
		s.events <- subscribed("f-1")
		if got := m.heard(); got != "KILL t1, RECONCILE, RECONCILE t2" {
			t.Errorf("the next leader heard: %s", got)
		}
		if got := strings.Join(lost, ", "); got != "ACCEPT" {
			t.Errorf("lost: %s", got)
		}
	})
}

func TestRefusedCallIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan error, 1)
		m, f, _ := subscribedMaster(t, func(o *framework.Options) {
			o.Refused = func(_ []sdk.Call, err error) { told <- err }
		}, ignore)
		m.answer = func(_ []sdk.Call, w http.ResponseWriter) {
			data, _ := wire.Marshal(wire.JSON, sdk.Errorf(sdk.CodeInvalid, "kill.task_id", "must not be empty"))
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write(data)
		}
		_ = f.Kill("", "", 0)
		if err := <-told; err.Error() != "call: kill.task_id: must not be empty" {
			t.Errorf("told: %v", err)
		}
	})
}

func TestTeardownEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, net := newFakeMaster(t), &sdktest.Memory{}
		net.Serve("m1:5050", m)
		f, done := start(t, options(net, "m1:5050"), ignore)
		s := <-m.subscribe
		s.events <- subscribed("f-1")
		<-m.calls
		if err := f.Teardown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := describe(<-m.calls); got != "TEARDOWN" {
			t.Errorf("sent %s", got)
		}
		close(s.events)
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

// TestTeardownAfterRun: a framework that stopped, and tears down only then.
func TestTeardownAfterRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, net := newFakeMaster(t), &sdktest.Memory{}
		net.Serve("m1:5050", m)
		f, done := start(t, options(net, "m1:5050"), func(_ context.Context, e *sdk.Event) error {
			return framework.Stop
		})
		s := <-m.subscribe
		s.events <- subscribed("f-1")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		go func() {
			s := <-m.subscribe
			if s.call.FrameworkID != "f-1" {
				t.Errorf("tears down as %q", s.call.FrameworkID)
			}
			s.events <- subscribed("f-1")
			for calls := range m.calls {
				if calls[0].Type == sdk.CallTeardown {
					close(s.events)
					return
				}
			}
		}()
		if err := f.Teardown(t.Context()); err != nil {
			t.Errorf("Teardown = %v", err)
		}
	})
}

// TestTeardownWaitsForTheNextSubscription: between two leaders it is neither lost
// nor refused.
func TestTeardownWaitsForTheNextSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f, s := subscribedMaster(t, nil, ignore)
		close(s.events)
		synctest.Wait()
		torn := make(chan error, 1)
		go func() { torn <- f.Teardown(t.Context()) }()
		s = <-m.subscribe
		s.events <- subscribed("f-1")
		if err := <-torn; err != nil {
			t.Errorf("Teardown = %v", err)
		}
		if got := m.heard(); !strings.Contains(got, "TEARDOWN") {
			t.Errorf("heard %s", got)
		}
	})
}

// TestACallEndsWithItsSubscription: a master that is stopped answers nothing, and what it
// was asked does not hold up the calls of the next subscription.
func TestACallEndsWithItsSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := make(chan struct{})
		m, f, s := subscribedMaster(t, nil, ignore)
		m.answer = func(calls []sdk.Call, w http.ResponseWriter) {
			if calls[0].Type == sdk.CallUpdateFramework {
				<-stopped
			}
			w.WriteHeader(http.StatusAccepted)
		}
		defer close(stopped)
		asked := make(chan error, 1)
		go func() { asked <- f.UpdateInfo(t.Context(), sdk.FrameworkInfo{Name: "test"}) }()
		synctest.Wait()
		began := time.Now()
		close(s.events)
		s = <-m.subscribe
		s.events <- subscribed("f-1")
		if err := <-asked; err == nil || time.Since(began) > 2*time.Second {
			t.Errorf("it ended with %v after %v", err, time.Since(began))
		}
		if err := f.Revive(); err != nil {
			t.Fatal(err)
		}
		if got := m.heard(); !strings.Contains(got, "REVIVE") {
			t.Errorf("heard %s", got)
		}
	})
}

// A framework to which no master listens keeps 65,536 calls, and acknowledgements beyond
// them: each that is dropped makes an update come again.
func TestTheQueueIsBoundedAndAcknowledgementsComeLast(t *testing.T) {
	f, err := framework.New(options(&sdktest.Memory{}, "m1:5050"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1 << 16 {
		if err := f.Kill("t", "a", 0); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
	if err := f.Kill("t", "a", 0); sdk.CodeOf(err) != sdk.CodeExhausted {
		t.Errorf("one more KILL: %v", err)
	}
	if err := f.Acknowledge(sdk.TaskStatus{TaskID: "t", AgentID: "a", UUID: []byte("0123456789abcdef")}); err != nil {
		t.Errorf("an acknowledgement: %v", err)
	}
}
