package allocator

import (
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Allocator is the keeper of the books. New makes one.
type Allocator struct{}

// New makes an allocator without agents and frameworks.
func New(o Options) *Allocator { return &Allocator{} }

// AddAgent adds an agent with what is already used on it (tasks that survived).
// An agent that is known is updated instead: totals, and used by the claims.
func (a *Allocator) AddAgent(agent Agent, used []Claim) {}

// UpdateAgent changes what an agent has. Offers outstanding on it should be
// recovered first by the caller, or they may be larger than what is left.
func (a *Allocator) UpdateAgent(agent Agent) {}

// ActivateAgent lets a deactivated agent be offered again.
func (a *Allocator) ActivateAgent(id sdk.AgentID) {}

// DeactivateAgent stops offers of an agent; its books stay.
func (a *Allocator) DeactivateAgent(id sdk.AgentID) {}

// RemoveAgent forgets an agent and everything offered and used on it.
func (a *Allocator) RemoveAgent(id sdk.AgentID) {}

// AddFramework adds a framework, active.
func (a *Allocator) AddFramework(f Framework) {}

// UpdateFramework changes roles, suppression, capabilities and filters.
func (a *Allocator) UpdateFramework(f Framework) {}

// ActivateFramework lets a framework be offered again.
func (a *Allocator) ActivateFramework(id sdk.FrameworkID) {}

// DeactivateFramework stops offers to a framework and forgets its filters.
func (a *Allocator) DeactivateFramework(id sdk.FrameworkID) {}

// RemoveFramework stops offers for ever; what it holds stays in the books until
// recovered and released.
func (a *Allocator) RemoveFramework(id sdk.FrameworkID) {}

// SetWeight changes a role's weight (1 when zero, negative or not a number).
func (a *Allocator) SetWeight(role string, weight float64) {}

// Suppress stops offers to a framework in these roles (all when none are named).
func (a *Allocator) Suppress(id sdk.FrameworkID, roles ...string) {}

// Revive ends suppression and forgets filters in these roles (all when none are named).
func (a *Allocator) Revive(id sdk.FrameworkID, roles ...string) {}

// Accept ends an offer, or several of one agent: `used` of what was offered is
// used from now on, the rest is free, and not offered to the same framework and
// role again for `refuse` unless there is more. An error changes nothing.
func (a *Allocator) Accept(now time.Time, h Holder, offered, used sdk.Resources, refuse time.Duration) error {
	return nil
}

// Recover ends an offer without use: declined (refuse > 0), timed out or rescinded (0).
// An unknown agent is no error: its books went with it.
func (a *Allocator) Recover(now time.Time, h Holder, offered sdk.Resources, refuse time.Duration) error {
	return nil
}

// Claim adds to what a holder uses without an offer: tasks that a returning agent reports.
func (a *Allocator) Claim(h Holder, used sdk.Resources) {}

// Release frees what a holder used: a terminal task, an executor that ended.
// An unknown agent is no error.
func (a *Allocator) Release(h Holder, used sdk.Resources) error { return nil }

// Allocate makes the offers that are possible now, in a stable order.
func (a *Allocator) Allocate(now time.Time) []Offering { return nil }

// Expire ends the filters whose time has come; the next Allocate may offer again.
func (a *Allocator) Expire(now time.Time) {}

// NextExpiry is when the next filter ends; false when there is none.
func (a *Allocator) NextExpiry() (time.Time, bool) { return time.Time{}, false }

// Pending tells whether something changed since the last Allocate.
func (a *Allocator) Pending() bool { return false }

// Why tells, per agent in order of their ids, why it is not offered now.
func (a *Allocator) Why(now time.Time, id sdk.FrameworkID, role string) []Refusal { return nil }

// Check recomputes shares and books from scratch and tells the first difference,
// or an agent that has more offered and used than it has in total (promise P4).
func (a *Allocator) Check() error { return nil }
