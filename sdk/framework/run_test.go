package framework_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/sdktest"
)

// start runs a framework against masters on a memory network and gives the
// channel on which Run's result comes.
func start(t *testing.T, o framework.Options, handle framework.Handler) (*framework.Framework, chan error) {
	t.Helper()
	f, err := framework.New(o)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { done <- f.Run(ctx, handle) }()
	return f, done
}

func ignore(context.Context, *sdk.Event) error { return nil }

func TestSubscribeSendsInfoAndCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, net := newFakeMaster(t), &sdktest.Memory{}
		net.Serve("m1:5050", m)
		f, _ := start(t, options(net, "m1:5050"), ignore)
		s := <-m.subscribe
		info := s.call.Subscribe.FrameworkInfo
		if info.Name != "test" || !info.Checkpoint || info.FailoverTimeout != 86400 || len(info.Capabilities) != 4 {
			t.Errorf("info = %+v", info)
		}
		if got := s.header.Get("Authorization"); got != "Bearer secret" {
			t.Errorf("Authorization = %q", got)
		}
		if f.ID() != "" {
			t.Errorf("id before SUBSCRIBED = %q", f.ID())
		}
		s.events <- subscribed("f-1")
		if got := describe(<-m.calls); got != "RECONCILE" {
			t.Errorf("after SUBSCRIBED: %s", got)
		}
		if f.ID() != "f-1" {
			t.Errorf("id = %q", f.ID())
		}
	})
}

func TestTriesAllMastersAndFollowsTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leader, follower, net := newFakeMaster(t), newFakeMaster(t), &sdktest.Memory{}
		follower.redirect = "//m3:5050/master"
		net.Serve("m2:5050", follower)
		net.Serve("m3:5050", leader) // m1 is down, and m3 in nobody's list
		f, _ := start(t, options(net, "m1:5050", "m2:5050"), ignore)
		s := <-leader.subscribe
		s.events <- subscribed("f-1")
		<-leader.calls
		if f.Leader() != "http://m3:5050" {
			t.Errorf("leader = %s", f.Leader())
		}
		if got := s.header.Get("Authorization"); got != "Bearer secret" {
			t.Errorf("the token did not follow the redirect: %q", got)
		}
	})
}

func TestResubscribesUnderTheSameID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, net := newFakeMaster(t), &sdktest.Memory{}
		net.Serve("m1:5050", m)
		o, ended := options(net, "m1:5050"), make(chan error, 1)
		o.Unsubscribed = func(why error) { ended <- why }
		start(t, o, ignore)
		s := <-m.subscribe
		s.events <- subscribed("f-1")
		<-m.calls
		began := time.Now()
		close(s.events)
		if why := <-ended; why == nil {
			t.Error("the end of the subscription has no reason")
		}
		s = <-m.subscribe
		if s.call.FrameworkID != "f-1" || s.call.Subscribe.FrameworkInfo.ID != "f-1" {
			t.Errorf("resubscribed as %q, %q", s.call.FrameworkID, s.call.Subscribe.FrameworkInfo.ID)
		}
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("resubscribed after %v", waited)
		}
	})
}

func TestBacksOffWhileNoMasterAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, net := newFakeMaster(t), &sdktest.Memory{}
		start(t, options(net, "m1:5050"), ignore)
		time.Sleep(time.Hour) // synctest: nothing may give up
		net.Serve("m1:5050", m)
		began := time.Now()
		<-m.subscribe
		if waited := time.Since(began); waited > 10*time.Second {
			t.Errorf("subscribed %v after the master came", waited)
		}
	})
}

func TestSilentStreamIsLeftAfterFiveHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, net := newFakeMaster(t), &sdktest.Memory{}
		net.Serve("m1:5050", m)
		start(t, options(net, "m1:5050"), func(_ context.Context, e *sdk.Event) error {
			if e.Type == sdk.EventOffers {
				time.Sleep(10 * time.Minute) // synctest: a slow handler is not a silent master
			}
			return nil
		})
		s := <-m.subscribe
		s.events <- subscribed("f-1")
		s.events <- &sdk.Event{Type: sdk.EventOffers, Offers: &sdk.Offers{}}
		for range 50 {
			time.Sleep(15 * time.Second) // synctest
			s.events <- &sdk.Event{Type: sdk.EventHeartbeat}
		}
		synctest.Wait()
		if len(m.subscribe) != 0 {
			t.Fatal("left a stream with heartbeats")
		}
		began := time.Now()
		<-m.subscribe
		if waited := time.Since(began); waited < 75*time.Second || waited > 80*time.Second {
			t.Errorf("left a silent stream after %v, want 75 s", waited)
		}
	})
}

func TestErrorEventEndsRun(t *testing.T) {
	for message, code := range map[string]sdk.Code{
		"Framework failed over":        sdk.CodeConflict,
		"Framework has been removed":   sdk.CodeGone,
		"Roles must not be duplicates": sdk.CodeInvalid,
	} {
		synctest.Test(t, func(t *testing.T) {
			m, net := newFakeMaster(t), &sdktest.Memory{}
			net.Serve("m1:5050", m)
			_, done := start(t, options(net, "m1:5050"), ignore)
			s := <-m.subscribe
			s.events <- &sdk.Event{Type: sdk.EventError, Error: &sdk.ErrorEvent{Message: message}}
			err := <-done
			if sdk.CodeOf(err) != code || !strings.Contains(err.Error(), message) {
				t.Errorf("Run = %v (%s), want %s", err, sdk.CodeOf(err), code)
			}
		})
	}
}

func TestRefusedSubscribeEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &sdktest.Memory{}
		net.Serve("m1:5050", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "the token is not valid here", http.StatusUnauthorized)
		}))
		_, done := start(t, options(net, "m1:5050"), ignore)
		err := <-done
		var e *sdk.Error
		if !errors.As(err, &e) || e.Code != sdk.CodeUnauthenticated || e.Message != "the token is not valid here" {
			t.Errorf("Run = %#v", err)
		}
	})
}

func TestHandlerErrorEndsRunWithoutAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, net := newFakeMaster(t), &sdktest.Memory{}
		net.Serve("m1:5050", m)
		full := errors.New("the disk is full")
		_, done := start(t, options(net, "m1:5050"), framework.Handlers{
			Update: func(context.Context, sdk.TaskStatus) error { return full },
		}.Handle)
		s := <-m.subscribe
		s.events <- subscribed("f-1")
		<-m.calls
		s.events <- update("t1", sdk.TaskFinished, "0123456789abcdef")
		if err := <-done; !errors.Is(err, full) {
			t.Errorf("Run = %v", err)
		}
		synctest.Wait()
		if len(m.calls) != 0 {
			t.Errorf("sent %s", describe(<-m.calls))
		}
	})
}

func TestStopSendsWhatWasQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, net := newFakeMaster(t), &sdktest.Memory{}
		net.Serve("m1:5050", m)
		var f *framework.Framework
		f, done := start(t, options(net, "m1:5050"), framework.Handlers{
			Update: func(context.Context, sdk.TaskStatus) error {
				_ = f.Suppress()
				return framework.Stop
			},
		}.Handle)
		s := <-m.subscribe
		s.events <- subscribed("f-1")
		<-m.calls
		s.events <- update("t1", sdk.TaskFinished, "0123456789abcdef")
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		if got := m.heard(); got != "SUPPRESS, ACKNOWLEDGE t1" {
			t.Errorf("sent %s", got)
		}
	})
}

func TestEventsLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, net := newFakeMaster(t), &sdktest.Memory{}
		net.Serve("m1:5050", m)
		f, err := framework.New(options(net, "m1:5050"))
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			s := <-m.subscribe
			s.events <- subscribed("f-1")
			s.events <- update("t1", sdk.TaskRunning, "0123456789abcdef")
			s.events <- update("t1", sdk.TaskFinished, "1123456789abcdef")
		}()
		var states []sdk.TaskState
		for event, err := range f.Events(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if event.Update != nil {
				states = append(states, event.Update.Status.State)
			}
			if len(states) == 2 {
				break
			}
		}
		if len(states) != 2 || states[1] != sdk.TaskFinished {
			t.Errorf("states = %v", states)
		}
	})
}

// A leader that is cut off or stopped ends no stream. The others are asked who leads, and
// the framework goes there in a second, with its id.
func TestLeavesALeaderThatIsNoneAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next, follower, net := newFakeMaster(t), newFakeMaster(t), newFakeMaster(t), &sdktest.Memory{}
		follower.redirect = "//m1:5050/master"
		net.Serve("m1:5050", old)
		net.Serve("m2:5050", follower)
		net.Serve("m3:5050", next)
		start(t, options(net, "m1:5050", "m2:5050"), ignore)
		s := <-old.subscribe
		s.events <- subscribed("f-1")
		<-old.calls
		select {
		case <-s.gone:
			t.Fatal("left a leader")
		case <-time.After(10 * time.Second):
		}
		follower.mu.Lock()
		follower.redirect = "//m3:5050/master"
		follower.mu.Unlock()
		began := time.Now()
		again := <-next.subscribe
		if took := time.Since(began); took > 2*time.Second || again.call.FrameworkID != "f-1" {
			t.Errorf("subscribed as %q after %v", again.call.FrameworkID, took)
		}
		<-s.gone
	})
}
