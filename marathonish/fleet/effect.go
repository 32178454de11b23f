package fleet

import (
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// The words in which a Fleet decides (see package mind).
type (
	Effect      = mind.Effect
	Commit      = mind.Commit
	Accept      = mind.Accept
	Decline     = mind.Decline
	Suppress    = mind.Suppress
	Revive      = mind.Revive
	KillTask    = mind.Kill
	Reconcile   = mind.Reconcile
	Acknowledge = mind.Acknowledge
	Log         = mind.Log

	// Reply answers a Request. Its refusal is an *app.Refusal.
	Reply = mind.Reply[Outcome]

	// Write is one change of the store's space, KV one key of it.
	Write = sdk.StoreOp
	KV    = sdk.StoreKV
)

// Publish is one event for the event stream.
type Publish struct{ Body event.Body }

// Effect marks an effect.
func (Publish) Effect() {}
