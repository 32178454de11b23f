package framework

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

// Options describe a framework and where its masters are. Begin with
// DefaultOptions or FromEnv: the zero Info has Mesos's defaults, under which a
// framework's tasks die the moment that it blinks.
type Options struct {
	// Addrs are the masters, "host:port" each; one that lives is enough.
	Addrs []string
	// Token authenticates the framework; TokenFile holds it instead and is read
	// anew for every request.
	Token     string
	TokenFile string
	// Info is what the kernel knows of the framework. Name is required. ID is
	// empty for a new framework, and the id of the last SUBSCRIBED for one that
	// comes back to its tasks.
	Info sdk.FrameworkInfo
	// SuppressedRoles get no offers until they are revived.
	SuppressedRoles []string
	// OfferConstraints limit which agents are offered; nil for all.
	OfferConstraints *sdk.OfferConstraints
	// Encoding of calls and events: msgpack unless set.
	Encoding wire.Encoding
	// ExplicitAck leaves the acknowledgement of updates to the handler, which
	// then calls Acknowledge when it is ready. Unacknowledged updates come again.
	ExplicitAck bool
	// Refused is told of calls that a master refused, or that were lost with
	// their connection. It must not block, and may be called while the handler
	// runs; nil logs them.
	Refused func(calls []sdk.Call, err error)
	// Unsubscribed is told that a subscription has ended, and why, before another is tried
	// for: from here to the next SUBSCRIBED nothing is heard of tasks. It comes from the
	// goroutine of the handler, between two events. nil for nobody.
	Unsubscribed func(why error)
	// Before is called before every SUBSCRIBE, such as to look whether this instance of
	// the framework still is the one that leads: a SUBSCRIBE takes the framework from
	// the one that is subscribed, whichever of them is the newer. An *sdk.Error that no
	// later try can change ends Run with it; after any other it is tried again. nil for
	// nothing.
	Before func(ctx context.Context) error
	// Transport carries the requests; nil for one of the framework's own.
	Transport http.RoundTripper
	// Log gets what an operator should know; nil for none.
	Log *slog.Logger
}

// DefaultFailover is how long the kernel keeps the tasks of a framework that is
// away. Mesos's default is none.
const DefaultFailover = 24 * time.Hour

// DefaultOptions has the defaults of Proffer for a framework of that name: one
// day of failover time, checkpointing, role "*", and the capabilities that this
// package understands. Addrs must still be set.
func DefaultOptions(name string) Options {
	o := Options{Info: sdk.FrameworkInfo{
		Name:            name,
		FailoverTimeout: DefaultFailover.Seconds(),
		Checkpoint:      true,
		Roles:           []string{"*"},
	}}
	for _, c := range []sdk.Capability{
		sdk.CapabilityPartitionAware, sdk.CapabilityTaskKillingState,
		sdk.CapabilityMultiRole, sdk.CapabilityReservationRefinement,
	} {
		o.Info.Capabilities = append(o.Info.Capabilities, sdk.FrameworkCapability{Type: c})
	}
	return o
}

// FromEnv is DefaultOptions with the masters and the token that a task finds in
// its environment: PROFFER_ADDR (comma separated), PROFFER_TOKEN_FILE,
// PROFFER_TOKEN.
func FromEnv(name string) Options {
	o, env := DefaultOptions(name), masters.FromEnv()
	o.Addrs, o.Token, o.TokenFile = env.Addrs, env.Token, env.TokenFile
	return o
}
