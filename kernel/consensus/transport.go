package consensus

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// maxPool is how many idle connections to each peer are kept.
const maxPool = 3

// transport is raft's over the network. An idle connection to a master that has died and
// come back is known to be broken only when it is used, and raft does not ask again: a vote
// that was asked for in vain costs a whole election time-out. So what went out on such a
// connection goes out again on the next; raft bears what arrives twice.
type transport struct {
	*raft.NetworkTransport
	layer *layer
}

// peerTimeout bounds what one message takes, and how long a peer may say nothing in the
// middle of one.
const peerTimeout = 10 * time.Second

func newTransport(l *layer, log hclog.Logger) transport {
	return transport{raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{Stream: l, MaxPool: maxPool, Timeout: peerTimeout, Logger: log}), l}
}

// TimeoutNow has a peer stand for election.
func (t transport) TimeoutNow(id raft.ServerID, target raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	return again(func() error { return t.NetworkTransport.TimeoutNow(id, target, args, resp) })
}

// RequestVote asks for a vote.
func (t transport) RequestVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return again(func() error { return t.NetworkTransport.RequestVote(id, target, args, resp) })
}

// RequestPreVote asks whether a vote would be given.
func (t transport) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return again(func() error { return t.NetworkTransport.RequestPreVote(id, target, args, resp) })
}

// AppendEntries sends entries, or none as a sign of life.
func (t transport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	return again(func() error { return t.NetworkTransport.AppendEntries(id, target, args, resp) })
}

// again tries until the connection was not a broken one: all that are kept, and a fresh one.
func again(try func() error) (err error) {
	for range maxPool + 1 {
		if err = try(); !wasBroken(err) {
			return err
		}
	}
	return err
}

// wasBroken tells whether err says that the other side has ended the connection.
func wasBroken(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// mourned is a peer's connection that tells when the peer has ended it.
type mourned struct {
	net.Conn
	broke   chan<- struct{}
	silence time.Duration // after which it ends itself
}

// Read tells of the end, and of nothing that we ended ourselves. raft's main loop reads a
// snapshot without a bound: a leader that is stopped in the middle of one would keep this
// master from voting for another. So a connection ends on which nothing comes for long, as
// if the peer had ended it; to one that was only not needed it makes the next when it is.
func (m mourned) Read(b []byte) (int, error) {
	if err := m.SetReadDeadline(time.Now().Add(m.silence)); err != nil {
		return 0, err
	}
	n, err := m.Conn.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, io.EOF
	}
	if err != nil && wasBroken(err) {
		select {
		case m.broke <- struct{}{}:
		default:
		}
	}
	return n, err
}
