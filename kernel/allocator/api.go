package allocator

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// SystemRole is served before every other role (its subroles included).
const SystemRole = "system"

// Options are what New needs; the zero value is usable.
type Options struct {
	// MinAllocatable: an offer must have at least one of these scalar amounts
	// in full. Empty means cpus 0.01 or mem 32 (MiB), as in Mesos.
	MinAllocatable []sdk.Resources
	// HeadRoom is kept free on every agent for SystemRole, less what that role
	// already has there.
	HeadRoom sdk.Resources
	// Unshared are names of scalars that do not count towards dominant shares.
	Unshared []string
	// Weights of roles by full path; roles that are not named weigh 1.
	Weights map[string]float64
}

// Agent is what the allocator needs to know of an agent.
type Agent struct {
	ID    sdk.AgentID
	Total sdk.Resources
}

// Framework is what the allocator needs to know of a framework.
type Framework struct {
	ID           sdk.FrameworkID
	Roles        []string
	Suppressed   []string // those of Roles that want no offers
	Capabilities []sdk.Capability
	OfferFilters map[string]sdk.OfferFilters // by role: its own smallest offers
}

// Holder says whose resources on which agent an entry of the books is about.
type Holder struct {
	Framework sdk.FrameworkID
	Role      string
	Agent     sdk.AgentID
}

// Claim is an amount that a holder uses.
type Claim struct {
	Framework sdk.FrameworkID
	Role      string
	Resources sdk.Resources
}

// Offering is resources of one agent that Allocate has set aside for a
// framework in a role; they are stamped with the role.
type Offering struct {
	Holder
	Resources sdk.Resources
}

// Refusal is why an agent is not offered to a framework in a role.
type Refusal struct {
	Agent  sdk.AgentID // empty: it holds for all agents
	Reason string
	Until  time.Time // zero: no time ends it
}
