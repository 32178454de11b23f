package store

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Caller is who an authenticated call comes from.
type Caller struct {
	Principal   string // empty when nobody said
	Operator    bool   // may use the spaces of any principal
	FrameworkID sdk.FrameworkID
	TaskID      sdk.TaskID  // of the task whose token it is; empty for none
	AgentID     sdk.AgentID // where that task is
}

// SpaceOf is the space that a call is about, if the caller may use it.
func SpaceOf(call *sdk.StoreCall, who Caller) (Space, *sdk.Error) {
	s := Space{Principal: who.Principal, Name: call.Space}
	if p := call.Principal; p != "" && p != who.Principal {
		if !who.Operator {
			return s, sdk.Errorf(sdk.CodeDenied, "principal", "the token is of %q and opens no space of %q", who.Principal, p)
		}
		s.Principal = p
	}
	return s, s.validate()
}

// CommandOf is the command of a call that writes: COMMIT, GRANT or REVOKE. What no
// state could take is refused here already, with the same words.
func CommandOf(call *sdk.StoreCall, id Space, who Caller, limit uint64) (Command, *sdk.Error) {
	c := Command{Version: CommandVersion, Space: id}
	switch {
	case call.Type == sdk.StoreCallCommit && call.Commit != nil:
		c.Type, c.Commit, c.Limit = CommandCommit, call.Commit, limit
	case call.Type == sdk.StoreCallGrant && call.Grant != nil:
		g := &Grant{TTL: int64(call.Grant.TTLSeconds * float64(time.Second)), FrameworkID: who.FrameworkID, TaskID: who.TaskID, AgentID: who.AgentID}
		if call.Grant.TaskID != "" || call.Grant.FrameworkID != "" {
			if !who.Operator && (call.Grant.FrameworkID != who.FrameworkID || call.Grant.TaskID != who.TaskID) {
				return c, sdk.Errorf(sdk.CodeDenied, "grant.task_id", "a lease can be bound to the token's own task only")
			}
			g.FrameworkID, g.TaskID = call.Grant.FrameworkID, call.Grant.TaskID
		}
		c.Type, c.Grant = CommandGrant, g
	case call.Type == sdk.StoreCallRevoke && call.Revoke != nil:
		c.Type, c.Revoke = CommandRevoke, &Revoke{Lease: call.Revoke.Lease, Cause: Released}
	default:
		return c, Incomplete(call)
	}
	return c, c.validate()
}

// Incomplete is the refusal of a call that lacks what its type says, or whose type
// is unknown.
func Incomplete(call *sdk.StoreCall) *sdk.Error {
	return sdk.Errorf(sdk.CodeInvalid, "type", "the call %q is unknown, or what it asks for is missing", string(call.Type))
}

// Answer answers a call that reads: GET or LIST.
func (s *State) Answer(call *sdk.StoreCall, id Space) (*sdk.StoreResponse, *sdk.Error) {
	r := &sdk.StoreResponse{Type: call.Type, Revision: s.index}
	switch {
	case call.Type == sdk.StoreCallGet && call.Get != nil:
		if err := validateText("get.key", call.Get.Key, false); err != nil {
			return nil, err
		}
		kv, ok := s.Get(id, call.Get.Key)
		if !ok {
			return nil, sdk.Errorf(sdk.CodeNotFound, "get.key", "there is no key %q", call.Get.Key)
		}
		r.KVs = []sdk.StoreKV{kv}
	case call.Type == sdk.StoreCallList && call.List != nil:
		if err := validateText("list.prefix", call.List.Prefix, true); err != nil {
			return nil, err
		}
		r.KVs = s.List(id, call.List.Prefix)
	default:
		return nil, Incomplete(call)
	}
	return r, nil
}

// Watched is the space and prefix of a WATCH, checked.
func Watched(call *sdk.StoreCall) (prefix string, after uint64, err *sdk.Error) {
	if call.Watch == nil {
		return "", 0, Incomplete(call)
	}
	return call.Watch.Prefix, call.Watch.After, validateText("watch.prefix", call.Watch.Prefix, true)
}

// ResponseOf answers a call that wrote.
func ResponseOf(call *sdk.StoreCall, r Result) (*sdk.StoreResponse, *sdk.Error) {
	if r.Err != nil {
		return nil, r.Err
	}
	a := &sdk.StoreResponse{Type: call.Type, Revision: r.Index, Held: r.Held}
	if r.Granted != nil {
		a.Lease = r.Granted.Message()
	}
	return a, nil
}

// Message is the lease as its holder sees it.
func (l *Lease) Message() *sdk.StoreLease {
	return &sdk.StoreLease{ID: l.ID, TTLSeconds: l.TTL.Seconds()}
}

// EventOf is one revision's changes as watchers get them.
func EventOf(c Changes) *sdk.StoreEvent {
	return &sdk.StoreEvent{Type: sdk.StoreEventChanges, Revision: c.Revision, Changes: c.List}
}

func ttlOf(g Grant) time.Duration { return time.Duration(g.TTL) }
