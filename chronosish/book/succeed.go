package book

import (
	"fmt"

	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// keyRoom has what keeps room for a success that a client tells, by the number of its
// request.
const keyRoom = "room/"

// succeed counts a success of jobs that was none of their attempts', and tells their
// children. What that changes cannot be taken back, since other changes build on it, so
// that first of all its room is taken: where there is none the client is refused, and
// nothing has happened.
func (b *Book) succeed(q mind.Request[Change]) {
	room := fmt.Sprintf("%s%d", keyRoom, q.ID)
	b.post(&mind.Posting{
		Writes: []sdk.StoreOp{{Type: sdk.StorePut, Key: room, Value: make([]byte, b.room(q.Change.Names))}},
		Done:   func() { b.succeeded(q, remove(room)) },
		Failed: func(err *sdk.Error) {
			b.emit(mind.Reply[Outcome]{ID: q.ID, Refusal: job.Refusef(503, "The store has no room for this: %s", err.Message)})
		},
	})
}

// room is how many bytes it takes at most to write down a success of the jobs; no more
// than half a transaction, which is enough for some hundred children.
func (b *Book) room(names []string) int {
	const run = 600 // its record and key, without names
	n := 0
	for _, name := range names {
		n += len(encode(&b.jobs[name].state)) + run
		for child := range b.children[name] {
			if c := b.jobs[child]; c != nil {
				n += 2*len(encode(&c.state)) + 3*len(child) + len(name) + run
			}
		}
	}
	return min(n, b.opt.MaxTxn/2)
}

// succeeded is succeed once there is room, which is given back with it.
func (b *Book) succeeded(q mind.Request[Change], writes ...sdk.StoreOp) {
	reply := mind.Reply[Outcome]{ID: q.ID}
	var caused []*run
	for _, name := range q.Change.Names {
		if b.find(name) == nil { // deleted meanwhile
			reply.Refusal = job.Missing(name)
			continue
		}
		e := b.jobs[name]
		e.state.succeed(e.born, b.now)
		told, runs := b.release(e, "marked")
		writes, caused = append(append(writes, put(stateKey(name), &e.state)), told...), append(caused, runs...)
		b.touch(name)
	}
	b.post(&mind.Posting{Writes: writes, Done: func() {
		b.decided(caused)
		if reply.Refusal == nil {
			reply.Outcome = Outcome{At: b.now, Change: true}
		}
		b.emit(reply)
	}})
}
