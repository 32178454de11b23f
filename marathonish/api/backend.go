package api

import (
	"context"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk"
)

// Backend is what the API needs of the marathonish behind it. Its methods may be called
// by any number of goroutines at once.
type Backend interface {
	// Read calls do while the fleet does not change. do is short and does not keep the
	// view; what its methods return is kept.
	Read(do func(View))
	// Change does what is asked, and returns when it is stored. The error is an
	// *app.Refusal to be shown as it is, an *sdk.Error, or that of the context.
	Change(ctx context.Context, c fleet.Change) (fleet.Outcome, error)
	// Subscribe follows the events: those after an id that are still kept, or with 0 only
	// what comes. The channel is closed when its reader is too slow, when this marathonish
	// ends, and by cancel, which must be called. Ids rise by one, also from one leading
	// marathonish to the next, or a reader that comes back cannot be told what it missed.
	Subscribe(after uint64) (events <-chan event.Event, cancel func())
	// Info is who this marathonish is.
	Info() Info
}

// View is what the API reads of a fleet; *fleet.Fleet is one.
type View interface {
	Apps() []fleet.AppStatus // sorted by id
	App(id app.ID) (fleet.AppStatus, bool)
	Versions(id app.ID) []app.Version // newest first, the present one among them
	Version(id app.ID, v app.Version) (*app.App, bool)
	Task(id sdk.TaskID) (fleet.Instance, bool)
	Deployments() []fleet.Deployment // oldest first
	Queue() []fleet.Waiting          // by app id
}

// Info is who a marathonish is.
type Info struct {
	Software    string // Proffer's version
	FrameworkID string
	Elected     bool   // it leads, and knows its apps
	Leader      string // host:port of the one that leads, as clients reach it; "" for none
	Hostname    string
	Port        int // that it listens at
	Master      string
	Role        string
	User        string // of tasks that name none; "" is the agent's default
}
