package master

import (
	"fmt"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// item is one thing for the leader's loop.
type item struct {
	request uint64             // the number inside in; 0 where no answer is due
	in      cluster.Input      // nil for an operator's stream, where shuts is set, and where only the token is asked about
	shuts   cluster.Session    // this stream ended
	asks    *exchange          // gets the answer
	at      int                // place of this call in its body
	opens   *stream            // becomes known before in is stepped
	token   *credential.Claims // of a framework in a task: refused when the task has ended
	lives   bool               // asks only whether that task lives
	bound   []store.Lease      // to be ended where their tasks have
	beat    time.Duration      // of the operator's stream

	restores *restoring // ends this leadership
}

// exchange is one request that waits for the answers to all calls of its body.
// The loop writes it, the connection reads it after done.
type exchange struct {
	left  int
	err   *sdk.Error // the first refusal
	place int        // of the call that was refused
	ok    bool       // answer 200, not 202
	done  chan struct{}
}

func newExchange(calls int) *exchange { return &exchange{left: calls, done: make(chan struct{})} }

func (x *exchange) answer(at int, err *sdk.Error, ok bool) {
	if err != nil && x.err == nil {
		x.err, x.place = err, at
	}
	x.ok = x.ok || ok
	if x.left--; x.left == 0 {
		close(x.done)
	}
}

// refusal is the error of the exchange; in a body of several calls it names the
// place of the refused one.
func (x *exchange) refusal(calls int) *sdk.Error {
	if x.err == nil || calls == 1 {
		return x.err
	}
	e := *x.err
	place := fmt.Sprintf("[%d]", x.place)
	if e.Field != "" {
		place += "." + e.Field
	}
	e.Field = place
	return &e
}

func notLeading() *sdk.Error {
	return sdk.Errorf(sdk.CodeUnavailable, "", "this master stopped leading before it could answer; ask the new leader")
}
