package book

import (
	"time"

	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
)

// Effect is one thing that the shell has to do, in the order given. What an effect
// points at is never changed again.
type Effect interface{ effect() }

// Write is one change of the store's space.
type Write struct {
	Key    string
	Value  []byte // of a put
	Delete bool
	Prefix bool // with Delete: all keys that begin with Key
}

type (
	// Commit asks for a transaction of these writes, in their order, guarded by the
	// leadership. The answer is Persisted or Refused. There is one at a time.
	Commit struct {
		Txn    uint64
		Writes []Write
	}

	// Accept launches tasks on an offer; what is left of it is not wanted for Refuse.
	Accept struct {
		Offer  sdk.OfferID
		Tasks  []sdk.TaskInfo
		Refuse time.Duration
	}
	// Decline gives offers back for Refuse.
	Decline struct {
		Offers []sdk.OfferID
		Refuse time.Duration
	}
	// Suppress and Revive stop and begin the offers.
	Suppress struct{}
	Revive   struct{}
	// KillTask ends a task as its kill policy says.
	KillTask struct {
		Task  sdk.TaskID
		Agent sdk.AgentID
	}
	// Reconcile asks for the state of tasks. (sdk/framework asks for all by itself when a
	// subscription begins.)
	Reconcile struct{ Tasks []sdk.ReconcileTask }
	// Acknowledge says that a status is dealt with.
	Acknowledge struct{ Status sdk.TaskStatus }

	// Reply answers a Request.
	Reply struct {
		ID      uint64
		Outcome Outcome
		Refusal *job.Refusal // nil: it was done
	}

	// Log is a line for the log: a constant message and key, value pairs.
	Log struct {
		Level   Level
		Message string
		KV      []any
	}
)

// Level is how much a Log matters; the values are those of log/slog.
type Level int

// The levels.
const (
	Info Level = 0
	Warn Level = 4
)

func (Commit) effect()      {}
func (Accept) effect()      {}
func (Decline) effect()     {}
func (Suppress) effect()    {}
func (Revive) effect()      {}
func (KillTask) effect()    {}
func (Reconcile) effect()   {}
func (Acknowledge) effect() {}
func (Reply) effect()       {}
func (Log) effect()         {}
