package consensus

import "github.com/hashicorp/raft"

// stand has this voter stand for election at once, as a leader does to its successor when
// it resigns. Where that fails, time does it.
func (n *Node) stand(t raft.Transport, id raft.ServerID) {
	if err := t.TimeoutNow(id, t.LocalAddr(), timeoutNow(t, id), &raft.TimeoutNowResponse{}); err != nil {
		n.opts.Log.Debug("the election waits for its time-out", "error", err)
	}
}

func timeoutNow(t raft.Transport, id raft.ServerID) *raft.TimeoutNowRequest {
	return &raft.TimeoutNowRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(id), Addr: t.EncodePeer(id, t.LocalAddr())}}
}

// called is a transport whose first request is the one to stand for election.
type called struct {
	raft.Transport
	requests chan raft.RPC
}

// calling gives the transport of a lone voter, for which there is nobody to wait: it stands
// at once. The request does not go over the network: one that came after the time-outs would
// depose the leader that they have made.
func (n *Node) calling(t raft.Transport, id raft.ServerID, over <-chan struct{}) raft.Transport {
	c := called{t, make(chan raft.RPC, 1)}
	c.requests <- raft.RPC{Command: timeoutNow(t, id), RespChan: make(chan raft.RPCResponse, 1)}
	n.wait.Go(func() {
		for {
			select {
			case r := <-t.Consumer():
				select {
				case c.requests <- r:
				case <-over:
					return
				}
			case <-over:
				return
			}
		}
	})
	return c
}

func (c called) Consumer() <-chan raft.RPC { return c.requests }

func (c called) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return c.Transport.(raft.WithPreVote).RequestPreVote(id, target, args, resp)
}

func (c called) Close() error { return closeTransport(c.Transport) }
