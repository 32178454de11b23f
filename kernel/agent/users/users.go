package users

import (
	"strconv"

	"github.com/profferhq/proffer/sdk"
)

// Identity is a user as the launch function needs it.
type Identity struct {
	Name   string   `wire:"1,name"` // empty for a uid that has no name here
	UID    uint32   `wire:"2,uid"`
	GID    uint32   `wire:"3,gid"`
	Groups []uint32 `wire:"4,groups"` // supplementary groups
	Switch bool     `wire:"5,switch"` // false: the agent lacks root, its own ids are kept
}

// Apply writes the identity into a launch specification.
func (id Identity) Apply(spec *sdk.LaunchSpec) {
	spec.SetIDs = id.Switch
	spec.UID, spec.GID, spec.Groups = id.UID, id.GID, id.Groups
}

// Grant lets a principal run tasks as a user other than the task user.
type Grant struct {
	Principal string
	User      string
}

// Policy says who may run as whom.
type Policy struct {
	TaskUser string  // the user of tasks that name none, or root without the right
	Grants   []Grant // --allow-user PRINCIPAL:USER
	FirstUID uint32  // --first-uid, --last-uid: uids of tasks that carry a token, one each
	LastUID  uint32
	Root     bool // the agent can change ids at all
}

// Wish is what a task asks for.
type Wish struct {
	User      string // the command's or the framework's; may be empty
	Principal string // whose task it is
	Container string // for the uid of its own
	Token     bool   // it carries a credential: it gets a uid of its own
}

// String is the name, or the number where there is none.
func (id Identity) String() string {
	if id.Name != "" {
		return id.Name
	}
	return strconv.FormatUint(uint64(id.UID), 10)
}
