package consensus

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/profferhq/proffer/kernel/registry"
)

// Masters ask each other one question a connection, on the raft port and behind its
// handshake: four bytes of length (big endian) and JSON each way. Unknown fields are
// ignored, so that releases may differ.

// maxTalk bounds a question and an answer, in bytes.
const maxTalk = 64 << 10

// talkTimeout bounds one question with its answer, beside the handshake.
const talkTimeout = 3 * time.Second

// asking is what a question is about.
type asking string

const (
	askStatus asking = "status" // how far are you, who leads?
	askJoin   asking = "join"   // let me vote; or: I am here again, with this release
	askInvite asking = "invite" // ask one of these to let you vote
)

// question is what one master asks another.
type question struct {
	About     asking          `json:"about"`
	Cluster   string          `json:"cluster"`              // the name that the asker was started with
	ClusterID string          `json:"cluster_id,omitempty"` // of the asker's disk
	From      Voter           `json:"from"`
	Empty     bool            `json:"empty,omitempty"` // its disk knows nothing of a cluster
	Again     bool            `json:"again,omitempty"` // it was a member: if it is none any more, it was removed
	Member    registry.Member `json:"member"`
	Peers     []string        `json:"peers,omitempty"` // of an invitation
}

// answer is what the other says.
type answer struct {
	Name    string `json:"name"`
	Empty   bool   `json:"empty,omitempty"`
	Applied uint64 `json:"applied,omitempty"` // index of the last entry applied
	Last    uint64 `json:"last,omitempty"`    // index of the last entry of its log
	Leads   bool   `json:"leads,omitempty"`
	Leader  string `json:"leader,omitempty"` // raft address of the leader that it knows
	Release string `json:"release,omitempty"`
	Granted bool   `json:"granted,omitempty"` // of a join: take part, you are being added
	Votes   bool   `json:"votes,omitempty"`   // of a join: you vote
	Removed bool   `json:"removed,omitempty"` // of a refusal: you were a member and are none any more
	Refusal string `json:"refusal,omitempty"`
	Later   bool   `json:"later,omitempty"` // of a refusal: it may be otherwise soon
}

// talk answers the question of a peer that has proven itself.
func (s *stream) talk(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(talkTimeout)); err != nil {
		return err
	}
	var q question
	if err := receive(conn, &q); err != nil {
		return err
	}
	return send(conn, s.answer(q))
}

// ask puts one question to the master at a raft address.
func (n *Node) ask(address string, about asking, change func(*question)) (a answer, err error) {
	q := question{About: about, Cluster: n.opts.Cluster, From: Voter{Name: n.opts.Name, Address: n.opts.Advertise}, Empty: n.waits(), Member: n.opts.Member, ClusterID: n.clusterID()}
	if change != nil {
		change(&q)
	}
	conn, err := net.DialTimeout("tcp", address, talkTimeout)
	if err != nil {
		return a, err
	}
	defer func() { _ = conn.Close() }() // the answer was read, or is not wanted any more
	if err := dialHandshake(conn, n.opts.Key, helloTalk); err != nil {
		return a, err
	}
	if err := conn.SetDeadline(time.Now().Add(talkTimeout)); err != nil {
		return a, err
	}
	if err := send(conn, q); err != nil {
		return a, err
	}
	return a, receive(conn, &a)
}

func send(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}

func receive(r io.Reader, v any) error {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return fmt.Errorf("the peer hung up: %w", err)
	}
	size := binary.BigEndian.Uint32(head)
	if size > maxTalk {
		return fmt.Errorf("a message of %d bytes, at most %d are read", size, maxTalk)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return fmt.Errorf("the peer hung up: %w", err)
	}
	return json.Unmarshal(body, v)
}
