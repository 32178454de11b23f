package consensus

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// lateVoice is a transport over which a request to stand for election takes its time, as on
// a machine that has much to do.
type lateVoice struct {
	*raft.InmemTransport
	late time.Duration
}

func (l lateVoice) TimeoutNow(id raft.ServerID, at raft.ServerAddress, q *raft.TimeoutNowRequest, a *raft.TimeoutNowResponse) error {
	<-time.After(l.late) // synctest
	return l.InmemTransport.TimeoutNow(id, at, q, a)
}

// A lone voter that leads goes on to lead, however late its own request comes to stand for
// election; and it stands before any time-out.
func TestALoneVoterIsNotDeposedByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := DefaultOptions()
		o.Name, o.Dir, o.Bootstrap, o.Log = "m1", t.TempDir(), true, slog.New(slog.DiscardHandler)
		o.Fatal = func(err error) { t.Errorf("fatal: %v", err) }
		n, err := newNode(o, nil, new(atomic.Bool), func() raft.Transport {
			_, trans := raft.NewInmemTransport("m1")
			trans.Connect("m1", trans)
			return lateVoice{trans, 3 * o.Solo.Election}
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for _, again := range []bool{false, true} {
			if again {
				if err := n.Resign(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			term := <-n.Leading()
			if after := time.Since(began); after >= o.Solo.Election {
				t.Errorf("it leads after %v", after)
			}
			select {
			case <-term.Lost:
				t.Errorf("it led for %v", time.Since(began))
			case <-time.After(10 * o.Solo.Election):
			}
			began = time.Now()
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
}
