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
