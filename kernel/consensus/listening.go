package consensus

import (
	"errors"
	"io"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// listening is a transport that notes who confirms this leader, and what it knows of the
// others; and that tries again by itself, and tells no more than is known.
//
// What goes through a pipeline confirms nothing: every question has raft send a sign of life
// to each peer.
//
// raft waits the longer with the next entries to a peer the more often it has tried in vain,
// for up to ten seconds, and nothing ends that wait: a voter that comes back looks like one
// of them, because signs of life go on, and counts for no commit. Who takes one master after
// the other down for a while would stop the cluster with the second. So entries that were not
// taken are sent again here, at once when the peer answers a sign of life, and a snapshot is
// not begun before that.
type listening struct {
	raft.Transport
	heard  *heard
	others *others
	in     *inbox
	log    hclog.Logger
}

// tryEvery is how long to wait with entries that a peer did not take, although it answers
// signs of life, and how often to look whether it is still of the cluster.
const tryEvery = 250 * time.Millisecond

// errWasAway is the answer to what was not sent to a peer that was away: it is removed or has
// moved, this master leads no longer, or there may be a newer snapshot.
var errWasAway = errors.New("it did not answer when this was made")

// AppendEntries sends entries, or none as a sign of life.
func (l listening) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if isSignOfLife(args) {
		err := l.ask(id, target, args, resp)
		l.others.tell(id, args.Term, err == nil)
		return err
	}
	commitOf(args)
	for first := true; ; {
		more, err := l.others.more(), errWasAway
		if !l.others.away(id, args.Term) {
			if err = l.ask(id, target, args, resp); err == nil {
				return nil
			}
			if first {
				l.log.Error("failed to send entries; they are sent again", "peer", id, "error", err)
			}
			first = false
		}
		if !l.others.serves(id, target, args.Term) {
			return err
		}
		select {
		case <-more:
		case <-time.After(tryEvery):
		}
	}
}

// ask is one try.
func (l listening) ask(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	term, request := args.Term, l.heard.next()
	err := l.Transport.AppendEntries(id, target, args, resp)
	if err == nil && resp.Term == term {
		l.heard.note(id, confirmation{term, request})
	}
	return err
}

// commitOf has a request tell of no commit behind its own last entry. raft's follower takes
// what it has itself up to the leader's commit for committed, also what it wrote in an earlier
// term and nobody else has (the paper: up to the last new entry); and raft's leader looks up
// what is committed after it has chosen what to send.
func commitOf(args *raft.AppendEntriesRequest) {
	args.LeaderCommitIndex = min(args.LeaderCommitIndex, args.PrevLogEntry+uint64(len(args.Entries)))
}

// isSignOfLife tells a mere one from what goes behind an entry, as raft's transports do.
func isSignOfLife(q *raft.AppendEntriesRequest) bool {
	return q.PrevLogEntry == 0 && q.PrevLogTerm == 0 && len(q.Entries) == 0 && q.LeaderCommitIndex == 0
}

// InstallSnapshot sends a snapshot.
func (l listening) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	for waited := false; ; waited = true {
		more := l.others.more()
		if !l.others.away(id, args.Term) || !l.others.serves(id, target, args.Term) {
			if waited {
				return errWasAway
			}
			break
		}
		select {
		case <-more:
		case <-time.After(tryEvery):
		}
	}
	err := l.Transport.InstallSnapshot(id, target, args, resp, data)
	if err != nil {
		l.others.tell(id, args.Term, false) // until the next sign of life
	}
	return err
}

// AppendEntriesPipeline is the embedded one's.
func (l listening) AppendEntriesPipeline(id raft.ServerID, target raft.ServerAddress) (raft.AppendPipeline, error) {
	p, err := l.Transport.AppendEntriesPipeline(id, target)
	if err != nil {
		return nil, err
	}
	return noted{p, id, l.others}, nil
}

// noted is a pipeline that tells of what is sent into it.
type noted struct {
	raft.AppendPipeline
	id     raft.ServerID
	others *others
}

// AppendEntries is the embedded one's.
func (n noted) AppendEntries(args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	commitOf(args)
	n.others.sent(n.id, args.Term, args.PrevLogEntry+uint64(len(args.Entries)))
	return n.AppendPipeline.AppendEntries(args, resp)
}

// TimeoutNow has a peer stand for election.
func (l listening) TimeoutNow(id raft.ServerID, target raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	if l.in.succeeded() {
		return raft.ErrLeadershipLost // it would depose the successor
	}
	l.others.stands(id)
	return l.Transport.TimeoutNow(id, target, args, resp)
}

// Consumer is what raft's main loop is asked.
func (l listening) Consumer() <-chan raft.RPC { return l.in.requests }

// SetHeartbeatHandler is the embedded one's, for signs of life that change nothing.
func (l listening) SetHeartbeatHandler(beat func(raft.RPC)) {
	l.Transport.SetHeartbeatHandler(l.in.signs(l.Transport, beat))
}

// RequestPreVote is the embedded one's.
func (l listening) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return l.Transport.(raft.WithPreVote).RequestPreVote(id, target, args, resp)
}

// Close is the embedded one's.
func (l listening) Close() error { return closeTransport(l.Transport) }
