package consensus

import (
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// doubt keeps a candidate from believing in a leader for long.
//
// raft's candidates take the sender of a snapshot for the leader, as followers do, and stay
// candidates. Nothing has such a one forget that leader, and as long as it has one it gives
// no vote: where the leader has died and the vote is needed, there is never another. So it is
// made a follower, which forgets a leader that it does not hear.
type doubt struct {
	beat atomic.Pointer[func(raft.RPC)] // raft's way past its main loop for signs of life
	due  chan raft.Observation          // there is reason to look; one that is waiting is enough
	done chan struct{}                  // closed at the end of run
}

func newDoubt() *doubt {
	return &doubt{due: make(chan raft.Observation, 1), done: make(chan struct{})}
}

// watch has raft tell when it may be so: a candidate has a leader, or who has one becomes a
// candidate.
func (d *doubt) watch(r *raft.Raft) {
	r.RegisterObserver(raft.NewObserver(d.due, false, func(o *raft.Observation) bool { return believes(o.Raft) }))
}

func believes(r *raft.Raft) bool {
	leader, _ := r.LeaderWithID()
	return leader != "" && r.State() == raft.Candidate
}

// run mends it until the instance is over, where it lasts for longer than the patience: a
// leader that lives would have been heard by then. It does so by a sign of life of nobody,
// which raft takes beside its main loop. That may stand for election at this very moment, so
// it is of the next term: none may go back.
func (d *doubt) run(r *raft.Raft, patience time.Duration, over <-chan struct{}) {
	defer close(d.done)
	for {
		select {
		case <-d.due:
		case <-over:
			return
		}
		for believes(r) {
			term := r.CurrentTerm()
			select {
			case <-time.After(patience):
			case <-over:
				return
			}
			if beat := d.beat.Load(); beat != nil && believes(r) && r.CurrentTerm() == term {
				answer := make(chan raft.RPCResponse, 1)
				(*beat)(raft.RPC{Command: &raft.AppendEntriesRequest{Term: term + 1}, RespChan: answer})
			}
		}
	}
}
