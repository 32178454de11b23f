package mind

import "github.com/profferhq/proffer/sdk"

// Input is one thing that has happened. A framework may have inputs of its own.
type Input interface{ Input() }

type (
	// Request asks for a change. It is answered by exactly one Reply effect with its
	// number, perhaps in a later Step.
	Request[C any] struct {
		ID     uint64
		Change C
	}

	// Persisted says that the transaction of a Commit effect is in the store.
	Persisted struct{ Txn uint64 }
	// Refused says that the store has refused it for its size, or for that of the
	// space, and that nothing of it was done. (A transaction whose outcome is not known
	// is tried again: it is to write values, not differences. One whose guard did not
	// hold ends the scheduler: another one leads.)
	Refused struct {
		Txn uint64
		Err *sdk.Error
	}

	// Subscribed begins a subscription; the offers of the last one are void, and all
	// roles are suppressed. The kernel is asked for all of the framework's tasks, but
	// answers for one that never arrived only when it is asked for by name.
	Subscribed struct {
		FrameworkID sdk.FrameworkID
		Master      string // its base URL, for humans
	}
	// Disconnected says that the subscription has ended: until the next one the kernel
	// tells nothing, and its offers are void.
	Disconnected struct{}
	// Offers bring offers, Rescinded takes one back.
	Offers    struct{ Offers []sdk.Offer }
	Rescinded struct{ Offer sdk.OfferID }
	// Update is a status, also one that answers a reconciliation. It comes again until
	// it is acknowledged.
	Update struct{ Status sdk.TaskStatus }
	// AgentFailed says that an agent is unreachable or gone. What became of its tasks is
	// told for those that the leading master knows; the others are to be asked for.
	AgentFailed struct{ Agent sdk.AgentID }
	// Lost says that an Accept with these tasks was refused or may not have arrived.
	Lost struct{ Tasks []sdk.TaskID }

	// Tick lets time pass.
	Tick struct{}
)

func (Request[C]) Input()   {}
func (Persisted) Input()    {}
func (Refused) Input()      {}
func (Subscribed) Input()   {}
func (Disconnected) Input() {}
func (Offers) Input()       {}
func (Rescinded) Input()    {}
func (Update) Input()       {}
func (AgentFailed) Input()  {}
func (Lost) Input()         {}
func (Tick) Input()         {}
