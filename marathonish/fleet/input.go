package fleet

import "github.com/profferhq/proffer/sdk/scheduler/mind"

// What happens to a Fleet (see package mind).
type (
	Input      = mind.Input
	Request    = mind.Request[Change]
	Persisted  = mind.Persisted
	Refused    = mind.Refused
	Subscribed = mind.Subscribed
	Offers     = mind.Offers
	Rescinded  = mind.Rescinded
	Update     = mind.Update
	Lost       = mind.Lost
	Tick       = mind.Tick
)

// Disconnected says that the subscription has ended.
type Disconnected struct{}

// Input marks an input.
func (Disconnected) Input() {}
