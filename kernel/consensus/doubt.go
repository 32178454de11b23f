package consensus

import (
	"time"

	"github.com/hashicorp/raft"
)

// doubt keeps a candidate from believing in a leader for long, until the instance is over.
//
// raft's candidates take the sender of a snapshot for the leader, as followers do, and stay
// candidates. Nothing has such a one forget that leader, and as long as it has one it gives
// no vote: where the leader has died and the vote is needed, there is never another. A leader
// that lives is heard within the patience; for another a sign of life of nobody, in the
// present term, makes the candidate a follower that knows of no leader.
func doubt(r *raft.Raft, in *inbox, patience time.Duration, over <-chan struct{}) {
	due := make(chan raft.Observation, 1) // a candidate has a leader, or who has one becomes a candidate
	o := raft.NewObserver(due, false, func(o *raft.Observation) bool { return believes(o.Raft) })
	r.RegisterObserver(o)
	defer r.DeregisterObserver(o)
	for {
		select {
		case <-due:
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
			if believes(r) && r.CurrentTerm() == term {
				header := raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax}
				in.post(raft.RPC{Command: &raft.AppendEntriesRequest{RPCHeader: header, Term: term}, RespChan: make(chan raft.RPCResponse, 1)})
			}
		}
	}
}

func believes(r *raft.Raft) bool {
	leader, _ := r.LeaderWithID()
	return leader != "" && r.State() == raft.Candidate
}
