package sdktest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/sdktest"
	"github.com/profferhq/proffer/sdk/store"
)

func open(t *testing.T, o store.Options) *store.Space {
	t.Helper()
	s, err := store.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A lease runs out when its holder is silent for its time-to-live, a new leader
// gives it its whole time again, and a watch goes on over the change of leaders.
func TestLeasesAndWatchesInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sdktest.New(t, sdktest.Options{Network: &sdktest.Memory{}})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := open(t, k.Store("svc", "state"))
		lease, err := s.Grant(ctx, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		result, err := s.Commit(ctx, store.Txn{Then: []store.Op{store.PutHeld("held", nil, lease)}})
		if err != nil {
			t.Fatal(err)
		}
		gone := make(chan time.Duration, 1)
		began := time.Now()
		go func() {
			for event, err := range s.Watch(ctx, "held", result.Revision) {
				if err == nil && event.Deleted {
					gone <- time.Since(began)
					return
				}
			}
		}()
		time.Sleep(7 * time.Second) // synctest
		k.Elect()
		time.Sleep(9 * time.Second) // synctest
		if _, err := s.Get(ctx, "held"); err != nil {
			t.Errorf("nine seconds after an election: %v", err)
		}
		if took := <-gone; took < 17*time.Second || took > 18*time.Second {
			t.Errorf("it ended after %v, want 7 s and its time-to-live", took)
		}
	})
}

// The leadership goes to the next when the leader's task ends, long before its
// lease would, and the dead leader's guard holds no more.
func TestLeadershipEndsWithTheTask(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{Run: func(sdk.TaskInfo) sdktest.Outcome { return sdktest.Outcome{Endless: true} }})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	id := launchTwo(ctx, t, k)
	instance := func(task sdk.TaskID) *store.Space {
		o := k.Store("", "state")
		o.Token = k.TaskToken("svc", id, task)
		return open(t, o)
	}
	first, second := instance("a"), instance("b")
	lead, err := first.Lead(ctx, "leader", "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	next := make(chan *store.Leadership, 1)
	go func() {
		l, err := second.Lead(ctx, "leader", "b", time.Hour)
		if err != nil {
			t.Error(err)
		}
		next <- l
	}()
	if err := k.End("a", sdktest.Outcome{Signal: "Killed"}); err != nil {
		t.Fatal(err)
	}
	if l := <-next; l == nil {
		t.Fatal("nobody leads")
	}
	result, err := second.Commit(ctx, store.Txn{If: []store.Compare{lead.Guard()}})
	if err != nil || result.Held {
		t.Errorf("the guard of the dead: %+v %v", result, err)
	}
}

// launchTwo runs the tasks a and b and gives their framework.
func launchTwo(ctx context.Context, t *testing.T, k *sdktest.Kernel) sdk.FrameworkID {
	t.Helper()
	f, err := framework.New(k.Framework("launcher"))
	if err != nil {
		t.Fatal(err)
	}
	need, err := sdk.ParseResources("cpus:0.5;mem:64")
	if err != nil {
		t.Fatal(err)
	}
	running := make(chan struct{}, 2)
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-over
	})
	go func() {
		defer close(over)
		_ = f.Run(ctx, framework.Handlers{ // until it is cancelled
			Offers: func(_ context.Context, offers []sdk.Offer) error {
				command := &sdk.CommandInfo{Value: "sleep"}
				return errors.Join(f.Suppress(), f.Launch(offers[0],
					sdk.TaskInfo{Name: "a", TaskID: "a", Resources: need, Command: command},
					sdk.TaskInfo{Name: "b", TaskID: "b", Resources: need, Command: command}))
			},
			Update: func(_ context.Context, s sdk.TaskStatus) error {
				if s.State == sdk.TaskRunning {
					running <- struct{}{}
				}
				return nil
			},
		}.Handle)
	}()
	for range 2 {
		select {
		case <-running:
		case <-ctx.Done():
			t.Fatal("the tasks do not run")
		}
	}
	return f.ID()
}

// A write whose answer is lost was done all the same, and says that it is not known.
func TestLostAnswersAreUnknown(t *testing.T) {
	k := sdktest.New(t, sdktest.Options{})
	s := open(t, k.Store("svc", "state"))
	txn := store.Txn{If: []store.Compare{store.Absent("k")}, Then: []store.Op{store.Put("k", nil)}}
	k.LoseWrites(1)
	if _, err := s.Commit(t.Context(), txn); sdk.CodeOf(err) != sdk.CodeUnknown {
		t.Fatalf("a lost answer: %v", err)
	}
	result, err := s.Commit(t.Context(), txn)
	if err != nil || result.Held {
		t.Errorf("it was done: %+v %v", result, err)
	}
}
