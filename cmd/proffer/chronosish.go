package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/chronosish"
)

// chronosishDaemon is chronosish at its defaults.
func chronosishDaemon() *schedulerDaemon {
	o := chronosish.DefaultOptions()
	o.Version = version
	d := newScheduler("chronosish", &o.Options,
		setting{"role", "role that it takes offers for, and runs jobs in", &o.Role},
		setting{"space-bytes", "most bytes of its space, as masters have it (their --store-limit)", &o.Book.SpaceBytes})
	d.validate = o.Validate
	d.run = func(ctx context.Context) error {
		scheduler, err := chronosish.New(o)
		if err != nil {
			return err
		}
		return scheduler.Run(ctx)
	}
	return d
}

func chronosishCommand(io stdio) *cobra.Command {
	return chronosishDaemon().command(io, "Run the batch scheduler (marathonish starts it)")
}
