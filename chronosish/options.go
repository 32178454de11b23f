package chronosish

import (
	"github.com/profferhq/proffer/chronosish/api"
	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/scheduler"
)

// Options are chronosish's settings: those of every scheduler, where Role stands for
// Roles, and its own.
type Options struct {
	scheduler.Options
	// Role it takes offers for, and runs jobs in.
	Role string

	Version string // of Proffer
	API     api.Options
	Book    book.Options
}

// DefaultOptions are those of a chronosish that marathonish has started.
func DefaultOptions() Options {
	return Options{Options: scheduler.DefaultOptions("chronosish"), Role: sdk.DefaultRole, API: api.DefaultOptions(), Book: book.Options{SpaceBytes: book.DefaultSpaceBytes}}
}

// Validate refuses settings that cannot work, by their names.
func (o *Options) Validate() error {
	if o.Role == "" {
		return sdk.Errorf(sdk.CodeInvalid, "role", "must not be empty; the default is *")
	}
	if o.Book.SpaceBytes < 1<<16 {
		return sdk.Errorf(sdk.CodeInvalid, "space-bytes", "%d is less than %d", o.Book.SpaceBytes, 1<<16)
	}
	o.Roles = []string{o.Role}
	return o.Options.Validate()
}
