package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk/scheduler"
)

// schedulerDaemon is a framework's scheduler (marathonish, chronosish) as a command.
type schedulerDaemon struct {
	name     string
	o        *scheduler.Options
	logLevel string
	settings *settings
	validate func() error
	run      func(ctx context.Context) error
}

// newScheduler makes the one table of its flags, variables and keys: those of every
// scheduler, and its own.
func newScheduler(name string, o *scheduler.Options, own ...setting) *schedulerDaemon {
	d := &schedulerDaemon{name: name, o: o, logLevel: "info"}
	rows := []setting{
		{"masters", "the masters, host:port each (default $PROFFER_ADDR)", &o.Addrs},
		{"token-file", "file with the credential (default $PROFFER_TOKEN_FILE)", &o.TokenFile},
		{"principal", "whose credential that is; the gateway signs for it", &o.Principal},
		{"name", "name of the framework, by which the gateway finds it", &o.Name},
		{"bind", "address that its API listens on, which masters must reach (default $HOST, else 127.0.0.1)", &o.Bind},
		{"port", "port of its API; 0 is one that the system gives", &o.Port},
		{"space", "name of its space in the store", &o.Space},
		{"failover-timeout", "the kernel keeps its tasks for this long while no " + name + " is there", &o.FailoverTimeout},
		{"lease-ttl", "its leadership outlives it for this long where the kernel does not know that it is dead", &o.LeaseTTL},
		{"log-level", "debug, info, warn or error", &d.logLevel},
	}
	d.settings = &settings{prefix: "PROFFER_" + strings.ToUpper(name), rows: append(rows, own...)}
	return d
}

func (d *schedulerDaemon) command(io stdio, short string) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use: d.name, Short: short, Args: cobra.NoArgs,
		Example: "  proffer " + d.name + " --masters 127.0.0.1:5050 --token-file token",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := d.settings.load(cmd.Flags()); err != nil {
				return err
			}
			log, err := logger(io.err, d.logLevel)
			if err != nil {
				return usageError{err}
			}
			d.o.Log = log
			if err := d.validate(); check {
				return checked(io, d.name, err)
			} else if err != nil {
				return usageError{err}
			}
			return d.run(cmd.Context())
		},
	}
	d.settings.register(cmd)
	cmd.Flags().BoolVar(&check, "check-config", false, "check the settings and stop")
	return cmd
}
