package sdk

// The messages of POST /api/v1/store, the frameworks' replicated key-value
// spaces. They are Proffer's own; package sdk/store is the client, and its page
// tells the contract for clients in other languages.

// StoreCall is one call about one space. A space is named by a principal and a
// name; it needs no creation and is empty at first.
type StoreCall struct {
	Type      StoreCallType   `wire:"1,type,required"`
	Space     string          `wire:"2,space,required"`
	Principal string          `wire:"3,principal"` // whose space; empty for the caller's own, another for operators only
	Get       *StoreGet       `wire:"4,get"`
	List      *StoreList      `wire:"5,list"`
	Watch     *StoreWatch     `wire:"6,watch"`
	Commit    *StoreCommit    `wire:"7,commit"`
	Grant     *StoreGrant     `wire:"8,grant"`
	KeepAlive *StoreKeepAlive `wire:"9,keep_alive"`
	Revoke    *StoreRevoke    `wire:"10,revoke"`
}

// StoreCallType says which member of StoreCall is set.
type StoreCallType string

// The calls of the store.
const (
	StoreCallGet       StoreCallType = "GET"        // one key; not_found without it
	StoreCallList      StoreCallType = "LIST"       // all keys with a prefix, at one revision
	StoreCallWatch     StoreCallType = "WATCH"      // answered by a stream of StoreEvent
	StoreCallCommit    StoreCallType = "COMMIT"     // a transaction
	StoreCallGrant     StoreCallType = "GRANT"      // a new lease
	StoreCallKeepAlive StoreCallType = "KEEP_ALIVE" // the lease's whole time-to-live again
	StoreCallRevoke    StoreCallType = "REVOKE"     // ends a lease and deletes its keys
)

// Enum lists the names of StoreCallType with their protobuf numbers.
func (StoreCallType) Enum() []EnumValue {
	return []EnumValue{{"GET", 1}, {"LIST", 2}, {"WATCH", 3}, {"COMMIT", 4}, {"GRANT", 5}, {"KEEP_ALIVE", 6}, {"REVOKE", 7}}
}

// StoreGet asks for one key.
type StoreGet struct {
	Key string `wire:"1,key,required"`
}

// StoreList asks for all keys that begin with Prefix, in the order of their
// bytes; all keys when it is empty.
type StoreList struct {
	Prefix string `wire:"1,prefix"`
}

// StoreWatch asks for the changes of keys that begin with Prefix, after the
// revision After. It is refused as gone when the history does not reach back so
// far: list again, and watch from that revision on.
type StoreWatch struct {
	Prefix string `wire:"1,prefix"`
	After  uint64 `wire:"2,after"`
}

// StoreCommit is a transaction: when all compares hold, the operations of Then
// are done, else those of Else; all of them or, when it is refused, none.
type StoreCommit struct {
	If   []StoreCompare `wire:"1,if"`
	Then []StoreOp      `wire:"2,then"`
	Else []StoreOp      `wire:"3,else"`
}

// StoreCompare is one condition about one key.
type StoreCompare struct {
	Type     StoreCompareType `wire:"1,type,required"`
	Key      string           `wire:"2,key,required"`
	Modified uint64           `wire:"3,modified"` // of UNCHANGED
	Value    []byte           `wire:"4,value"`    // of VALUE_IS; base64 in JSON
	Lease    string           `wire:"5,lease"`    // of HELD_BY
}

// StoreCompareType says what a StoreCompare asks.
type StoreCompareType string

// The conditions.
const (
	StoreAbsent    StoreCompareType = "ABSENT"    // there is no such key
	StoreExists    StoreCompareType = "EXISTS"    // there is one
	StoreUnchanged StoreCompareType = "UNCHANGED" // it is there and its modified revision is this one
	StoreValueIs   StoreCompareType = "VALUE_IS"  // it is there and its value is this one
	StoreHeldBy    StoreCompareType = "HELD_BY"   // it is there and attached to this lease, which lives
)

// Enum lists the names of StoreCompareType with their protobuf numbers.
func (StoreCompareType) Enum() []EnumValue {
	return []EnumValue{{"ABSENT", 1}, {"EXISTS", 2}, {"UNCHANGED", 3}, {"VALUE_IS", 4}, {"HELD_BY", 5}}
}

// StoreOp is one change. The operations of a transaction are done in their order.
type StoreOp struct {
	Type  StoreOpType `wire:"1,type,required"`
	Key   string      `wire:"2,key"`   // of DELETE_PREFIX the prefix; empty for all keys
	Value []byte      `wire:"3,value"` // of PUT; base64 in JSON; an absent one is empty
	Lease string      `wire:"4,lease"` // of PUT: the key goes when this lease ends
}

// StoreOpType says what a StoreOp does.
type StoreOpType string

// The operations.
const (
	StorePut          StoreOpType = "PUT"
	StoreDelete       StoreOpType = "DELETE" // no error when the key is absent
	StoreDeletePrefix StoreOpType = "DELETE_PREFIX"
)

// Enum lists the names of StoreOpType with their protobuf numbers.
func (StoreOpType) Enum() []EnumValue {
	return []EnumValue{{"PUT", 1}, {"DELETE", 2}, {"DELETE_PREFIX", 3}}
}

// StoreGrant asks for a lease. Granted to the token of a task, it also ends when
// that task has ended.
type StoreGrant struct {
	TTLSeconds float64 `wire:"1,ttl_seconds,required"`
	// FrameworkID and TaskID bind the lease to a task; only operators may name
	// them, for a task's own token they are filled in.
	FrameworkID FrameworkID `wire:"2,framework_id,value"`
	TaskID      TaskID      `wire:"3,task_id,value"`
}

// StoreKeepAlive gives a lease its whole time-to-live again.
type StoreKeepAlive struct {
	Lease string `wire:"1,lease,required"`
}

// StoreRevoke ends a lease; the keys attached to it are deleted.
type StoreRevoke struct {
	Lease string `wire:"1,lease,required"`
}

// StoreResponse answers every StoreCall but WATCH.
type StoreResponse struct {
	Type     StoreCallType `wire:"1,type,required"`
	Revision uint64        `wire:"2,revision"` // at which the answer is true; of a write the one that it made
	KVs      []StoreKV     `wire:"3,kvs"`      // of GET (one) and LIST
	Held     bool          `wire:"4,held"`     // of COMMIT: the compares held, Then was done
	Lease    *StoreLease   `wire:"5,lease"`    // of GRANT and KEEP_ALIVE
}

// StoreKV is one key with its value.
type StoreKV struct {
	Key      string `wire:"1,key,required"`
	Value    []byte `wire:"2,value"`    // base64 in JSON; absent when it is empty
	Created  uint64 `wire:"3,created"`  // revision of its creation
	Modified uint64 `wire:"4,modified"` // revision of its last change
	Version  uint64 `wire:"5,version"`  // 1 at its creation, one more at each change
	Lease    string `wire:"6,lease"`    // it goes when this lease ends; empty for none
}

// StoreLease is a lease as its holder sees it.
type StoreLease struct {
	ID         string  `wire:"1,id,required"`
	TTLSeconds float64 `wire:"2,ttl_seconds"`
}

// StoreEvent is one record of the stream that answers WATCH.
type StoreEvent struct {
	Type StoreEventType `wire:"1,type,required"`
	// Revision is the one that all changes up to have been told: watch after it
	// to go on.
	Revision uint64        `wire:"2,revision"`
	Changes  []StoreChange `wire:"3,changes"` // of CHANGES: all of one revision
	// HeartbeatIntervalSeconds is how often at least something comes; of WATCHING.
	HeartbeatIntervalSeconds float64 `wire:"4,heartbeat_interval_seconds"`
}

// StoreEventType says what a StoreEvent tells.
type StoreEventType string

// The events of a watch.
const (
	StoreEventWatching  StoreEventType = "WATCHING"  // the first of every stream
	StoreEventChanges   StoreEventType = "CHANGES"   // what one transaction, or the end of a lease, changed
	StoreEventHeartbeat StoreEventType = "HEARTBEAT" // nothing more up to this revision
)

// Enum lists the names of StoreEventType with their protobuf numbers.
func (StoreEventType) Enum() []EnumValue {
	return []EnumValue{{"WATCHING", 1}, {"CHANGES", 2}, {"HEARTBEAT", 3}}
}

// StoreChange is the fate of one key in one revision.
type StoreChange struct {
	Deleted bool    `wire:"1,deleted"` // KV then holds the key only, and this revision as Modified
	KV      StoreKV `wire:"2,kv,required"`
}
