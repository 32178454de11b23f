package marathonish

import (
	"github.com/profferhq/proffer/marathonish/api"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler"
)

// Options are marathonish's settings: those of every scheduler, and its own.
type Options struct {
	scheduler.Options
	// BootApps is a file with the definitions of apps that are made once for ever; one
	// that is not there is none.
	BootApps string
	// KeptEvents is how many events can be read again by Last-Event-ID.
	KeptEvents int

	Version string // of Proffer
	API     api.Options
	Fleet   fleet.Options // the seed is made by Run
}

// DefaultOptions are those of a marathonish that the kernel has started.
func DefaultOptions() Options {
	o := Options{Options: scheduler.DefaultOptions("marathonish"), BootApps: "boot-apps.json", KeptEvents: 10000, API: api.DefaultOptions()}
	o.Roles = []string{"system", sdk.DefaultRole}
	return o
}

// Validate refuses settings that cannot work, by their names.
func (o *Options) Validate() error {
	if o.KeptEvents < 1 {
		return sdk.Errorf(sdk.CodeInvalid, "kept-events", "must be at least 1")
	}
	return o.Options.Validate()
}
