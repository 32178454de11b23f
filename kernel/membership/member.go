package membership

import (
	"net"
	"strconv"

	"github.com/hashicorp/memberlist"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// Role says what a member is.
type Role string

// The roles.
const (
	RoleMaster Role = "master"
	RoleAgent  Role = "agent"
)

// Enum lists the names of Role with their numbers in gossip.
func (Role) Enum() []sdk.EnumValue {
	return []sdk.EnumValue{{Name: "master", Number: 1}, {Name: "agent", Number: 2}}
}

// Member is what one member says of itself.
type Member struct {
	Name   string // unique in the cluster
	Gossip string // host:port of its gossip
	Meta
}

// Meta is the part of a Member that it puts into its messages; at most 512 bytes.
type Meta struct {
	Version uint32 `wire:"1,version,required"` // of this format
	Role    Role   `wire:"2,role,required"`
	HTTP    string `wire:"3,http"`    // host:port of its HTTP
	Raft    string `wire:"4,raft"`    // host:port of its raft port; masters only
	Release string `wire:"5,release"` // version of its program
	Command uint32 `wire:"6,command"` // newest registry command it knows; masters only
}

// metaVersion is the format of Meta that this code writes.
const metaVersion = 1

// Kind says what happened to a member.
type Kind string

// The kinds of events.
const (
	Joined  Kind = "joined"
	Left    Kind = "left" // left in order, or stopped answering
	Updated Kind = "updated"
)

// Event is one change.
type Event struct {
	Kind   Kind
	Member Member
}

// memberOf reads a node; false for one that says nothing that can be understood.
func memberOf(n *memberlist.Node) (Member, bool) {
	m := Member{Name: n.Name, Gossip: net.JoinHostPort(n.Addr.String(), strconv.Itoa(int(n.Port)))}
	if err := wire.Unmarshal(wire.Msgpack, n.Meta, &m.Meta); err != nil || m.Meta.Version > metaVersion {
		return Member{}, false
	}
	return m, true
}

func encodeMeta(m Meta) ([]byte, error) {
	m.Version = metaVersion
	data, err := wire.Marshal(wire.Msgpack, &m)
	if err != nil {
		return nil, err
	}
	if len(data) > memberlist.MetaMaxSize {
		return nil, sdk.Errorf(sdk.CodeTooLarge, "", "what this member says of itself is %d bytes long, gossip carries at most %d: use shorter addresses", len(data), memberlist.MetaMaxSize)
	}
	return data, nil
}
