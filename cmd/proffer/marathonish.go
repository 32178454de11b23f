package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/marathonish"
)

// marathonishFlags are marathonish's settings, with what is not an Option of its own.
type marathonishFlags struct {
	o        marathonish.Options
	logLevel string
	check    bool
}

// marathonishSettings is the one table of marathonish's flags, variables and keys.
func marathonishSettings(m *marathonishFlags) *settings {
	o := &m.o
	return &settings{prefix: "PROFFER_MARATHONISH", rows: []setting{
		{"masters", "the masters, host:port each (default $PROFFER_ADDR)", &o.Addrs},
		{"token-file", "file with the credential (default $PROFFER_TOKEN_FILE)", &o.TokenFile},
		{"principal", "whose credential that is; the gateway signs for it", &o.Principal},
		{"name", "name of the framework, by which the gateway finds it", &o.Name},
		{"bind", "address that its API listens on, which masters must reach (default $HOST, else 127.0.0.1)", &o.Bind},
		{"port", "port of its API; 0 is one that the system gives", &o.Port},
		{"space", "name of its space in the store", &o.Space},
		{"roles", "roles that it takes offers for", &o.Roles},
		{"failover-timeout", "the kernel keeps its tasks for this long while no marathonish is there", &o.FailoverTimeout},
		{"lease-ttl", "its leadership outlives it for this long where the kernel does not know that it is dead", &o.LeaseTTL},
		{"boot-apps", "file with the definitions of apps that are made once for ever; none if it is not there", &o.BootApps},
		{"kept-events", "events that a client can read again by Last-Event-ID", &o.KeptEvents},
		{"log-level", "debug, info, warn or error", &m.logLevel},
	}}
}

// marathonishDefaults are its defaults; it has a version to tell.
func marathonishDefaults() marathonishFlags {
	m := marathonishFlags{o: marathonish.DefaultOptions(), logLevel: "info"}
	m.o.Version = version
	return m
}

func marathonishCommand(io stdio) *cobra.Command {
	m := marathonishDefaults()
	s := marathonishSettings(&m)
	cmd := &cobra.Command{
		Use: "marathonish", Short: "Run the service supervisor (the kernel starts it)", Args: cobra.NoArgs,
		Example: "  proffer marathonish --masters 127.0.0.1:5050 --token-file token",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.load(cmd.Flags()); err != nil {
				return err
			}
			return runMarathonish(cmd.Context(), io, &m)
		},
	}
	s.register(cmd)
	cmd.Flags().BoolVar(&m.check, "check-config", false, "check the settings and stop")
	return cmd
}

func runMarathonish(ctx context.Context, io stdio, m *marathonishFlags) error {
	log, err := logger(io.err, m.logLevel)
	if err != nil {
		return usageError{err}
	}
	m.o.Log = log
	if err := m.o.Validate(); m.check {
		return checked(io, "marathonish", err)
	} else if err != nil {
		return usageError{err}
	}
	supervisor, err := marathonish.New(m.o)
	if err != nil {
		return err
	}
	return supervisor.Run(ctx)
}
