package consensus

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestVerificationsAreShared: who asks gets the answer of a question that began afterwards,
// and all who ask while one is on its way share the next.
func TestVerificationsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var v verifies
		var asked atomic.Int32
		failure := errors.New("the third fails")
		ask := func() error {
			n := asked.Add(1)
			<-time.After(time.Second)
			if n == 3 {
				return failure
			}
			return nil
		}
		begun, answered := make(chan *verification, 10), atomic.Int32{}
		want := func(at time.Duration, number int32, err error) {
			<-time.After(at)
			x := v.join(ask)
			begun <- x
			<-x.done
			if got := asked.Load(); got < number || x.err != err {
				t.Errorf("who asked after %v was answered after question %d with %v, want %d and %v", at, got, x.err, number, err)
			}
			answered.Add(1)
		}
		go want(0, 1, nil)
		for i := range 5 {
			go want(time.Duration(i+1)*100*time.Millisecond, 2, nil)
		}
		go want(1500*time.Millisecond, 3, failure) // the second is on its way
		go want(5*time.Second, 4, nil)
		<-time.After(10 * time.Second)
		if answered.Load() != 8 || asked.Load() != 4 {
			t.Errorf("%d were answered by %d questions", answered.Load(), asked.Load())
		}
	})
}
