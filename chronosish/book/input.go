package book

import "github.com/profferhq/proffer/sdk"

// Input is one thing that has happened.
type Input interface{ input() }

type (
	// Request asks for a change. It is answered by exactly one Reply effect with its
	// number, perhaps in a later Step.
	Request struct {
		ID     uint64
		Change Change
	}

	// Persisted says that the transaction of a Commit effect is in the store.
	Persisted struct{ Txn uint64 }
	// Refused says that the store has refused it for its size, or for that of the
	// space, and that nothing of it was done. (A transaction whose outcome is not known
	// is to be tried again: it writes values, not differences. One whose guard did not
	// hold ends the shell: another chronosish leads.)
	Refused struct {
		Txn uint64
		Err *sdk.Error
	}

	// Subscribed begins a subscription; the offers of the last one are void, and the role
	// is suppressed.
	Subscribed struct{}
	// Disconnected says that the subscription has ended.
	Disconnected struct{}
	// Offers bring offers, Rescinded takes one back.
	Offers    struct{ Offers []sdk.Offer }
	Rescinded struct{ Offer sdk.OfferID }
	// Update is a status, also one that answers a reconciliation.
	Update struct{ Status sdk.TaskStatus }
	// Lost says that an ACCEPT with these tasks was refused or may not have arrived.
	Lost struct{ Tasks []sdk.TaskID }

	// Tick lets time pass.
	Tick struct{}
)

func (Request) input()      {}
func (Persisted) input()    {}
func (Refused) input()      {}
func (Subscribed) input()   {}
func (Disconnected) input() {}
func (Offers) input()       {}
func (Rescinded) input()    {}
func (Update) input()       {}
func (Lost) input()         {}
func (Tick) input()         {}
