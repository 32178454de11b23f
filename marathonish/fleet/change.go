package fleet

import (
	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/sdk"
)

// Kind is what a Change wants.
type Kind int

// The kinds of changes.
const (
	Create     Kind = iota + 1 // Apps, none of which may exist
	Put                        // Apps, made or changed
	Delete                     // IDs
	Restart                    // IDs
	Kill                       // Tasks; or the instances of IDs, those on Host if it is set
	Cancel                     // Deployment: undo it, or with Force drop it
	ResetDelay                 // IDs: launch again at once
	Boot                       // Apps that exist already, or were made by a Boot once, are left alone
)

// Change is something that a client wants changed. It happens whole or not at all: a
// refusal is an *app.Refusal.
type Change struct {
	Kind Kind
	// Apps are whole, normalised definitions without a version, for Create and Put.
	// A dynamic port definition that is still 0 gets its service port here.
	Apps       []*app.App
	IDs        []app.ID
	Tasks      []sdk.TaskID // ids that nobody knows are ignored
	Host       string
	Scale      bool // Kill: and want so many fewer
	Wipe       bool // Kill: with the instances' volumes; there are none yet
	Deployment string
	Force      bool // overrides the locks of deployments, which it ends
	// IfVersion is what the caller has read: when the app has another version now
	// (empty: it must not exist) the change is refused as Stale, to be computed again.
	IfVersion map[app.ID]app.Version
	// ClientIP and URI are where it came from, for api_post_event; without URI there
	// is none.
	ClientIP, URI string
}

// Outcome is what a change brought about.
type Outcome struct {
	Deployment string      // id; empty for Kill without Scale, for ResetDelay, and for Cancel with Force
	Version    app.Version // of the change
	App        *app.App    // of a change of one app: as it is now, nil once it is deleted
	Created    bool        // an app that did not exist before
	Killed     []Instance  // by Kill
}

// Publish is one event for the event stream.
type Publish struct{ Body event.Body }

// Effect marks an effect.
func (Publish) Effect() {}
