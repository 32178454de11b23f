package mind

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Effect is one thing that has to be done, in the order given. What an effect points at
// is never changed again. A framework may have effects of its own.
type Effect interface{ Effect() }

type (
	// Commit asks for a transaction of these writes, in their order, guarded by the
	// leadership. The answer is Persisted or Refused. Transactions that are on their way
	// together are done in no order: an Outbox keeps to one.
	Commit struct {
		Txn    uint64
		Writes []sdk.StoreOp
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
	// Suppress and Revive stop and begin the offers for a role; without one, for all of
	// the framework's.
	Suppress struct{ Role string }
	Revive   struct{ Role string }
	// Kill ends a task as its kill policy says.
	Kill struct {
		Task  sdk.TaskID
		Agent sdk.AgentID
	}
	// Reconcile asks for the state of tasks; without any, of all that the kernel knows.
	Reconcile struct{ Tasks []sdk.ReconcileTask }
	// Acknowledge says that a status is dealt with: what must survive is in the store.
	Acknowledge struct{ Status sdk.TaskStatus }

	// Reply answers a Request.
	Reply[O any] struct {
		ID      uint64
		Outcome O
		Refusal error // nil: it was done
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

// Answer is a Reply of any kind.
type Answer interface {
	Effect
	// RequestID is the number of the Request that it answers.
	RequestID() uint64
}

// RequestID is the number of the Request.
func (r Reply[O]) RequestID() uint64 { return r.ID }

func (Commit) Effect()      {}
func (Accept) Effect()      {}
func (Decline) Effect()     {}
func (Suppress) Effect()    {}
func (Revive) Effect()      {}
func (Kill) Effect()        {}
func (Reconcile) Effect()   {}
func (Acknowledge) Effect() {}
func (Reply[O]) Effect()    {}
func (Log) Effect()         {}
