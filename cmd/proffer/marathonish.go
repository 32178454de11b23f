package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/marathonish"
)

// marathonishDaemon is marathonish at its defaults.
func marathonishDaemon() *schedulerDaemon {
	o := marathonish.DefaultOptions()
	o.Version = version
	d := newScheduler("marathonish", &o.Options,
		setting{"roles", "roles that it takes offers for", &o.Roles},
		setting{"boot-apps", "file with the definitions of apps that are made once for ever; none if it is not there", &o.BootApps},
		setting{"kept-events", "events that a client can read again by Last-Event-ID", &o.KeptEvents})
	d.validate = o.Validate
	d.run = func(ctx context.Context) error {
		supervisor, err := marathonish.New(o)
		if err != nil {
			return err
		}
		return supervisor.Run(ctx)
	}
	return d
}

func marathonishCommand(io stdio) *cobra.Command {
	return marathonishDaemon().command(io, "Run the service supervisor (the kernel starts it)")
}
