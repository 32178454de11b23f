package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/chronosish"
)

// chronosishFlags are chronosish's settings, with what is not an Option of its own.
type chronosishFlags struct {
	o        chronosish.Options
	logLevel string
	check    bool
}

// chronosishSettings is the one table of chronosish's flags, variables and keys.
func chronosishSettings(m *chronosishFlags) *settings {
	o := &m.o
	return &settings{prefix: "PROFFER_CHRONOSISH", rows: []setting{
		{"masters", "the masters, host:port each (default $PROFFER_ADDR)", &o.Addrs},
		{"token-file", "file with the credential (default $PROFFER_TOKEN_FILE)", &o.TokenFile},
		{"principal", "whose credential that is; the gateway signs for it", &o.Principal},
		{"name", "name of the framework, by which the gateway finds it", &o.Name},
		{"bind", "address that its API listens on, which masters must reach (default $HOST, else 127.0.0.1)", &o.Bind},
		{"port", "port of its API; 0 is one that the system gives", &o.Port},
		{"space", "name of its space in the store", &o.Space},
		{"role", "role that it takes offers for, and runs jobs in", &o.Role},
		{"failover-timeout", "the kernel keeps its tasks for this long while no chronosish is there", &o.FailoverTimeout},
		{"lease-ttl", "its leadership outlives it for this long where the kernel does not know that it is dead", &o.LeaseTTL},
		{"log-level", "debug, info, warn or error", &m.logLevel},
	}}
}

// chronosishDefaults are its defaults; it has a version to tell.
func chronosishDefaults() chronosishFlags {
	m := chronosishFlags{o: chronosish.DefaultOptions(), logLevel: "info"}
	m.o.Version = version
	return m
}

func chronosishCommand(io stdio) *cobra.Command {
	m := chronosishDefaults()
	s := chronosishSettings(&m)
	cmd := &cobra.Command{
		Use: "chronosish", Short: "Run the batch scheduler (marathonish starts it)", Args: cobra.NoArgs,
		Example: "  proffer chronosish --masters 127.0.0.1:5050 --token-file token",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.load(cmd.Flags()); err != nil {
				return err
			}
			return runChronosish(cmd.Context(), io, &m)
		},
	}
	s.register(cmd)
	cmd.Flags().BoolVar(&m.check, "check-config", false, "check the settings and stop")
	return cmd
}

func runChronosish(ctx context.Context, io stdio, m *chronosishFlags) error {
	log, err := logger(io.err, m.logLevel)
	if err != nil {
		return usageError{err}
	}
	m.o.Log = log
	if err := m.o.Validate(); m.check {
		return checked(io, "chronosish", err)
	} else if err != nil {
		return usageError{err}
	}
	scheduler, err := chronosish.New(m.o)
	if err != nil {
		return err
	}
	return scheduler.Run(ctx)
}
