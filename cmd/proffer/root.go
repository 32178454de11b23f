package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// stdio is where a command reads and writes: data on out, talk on err.
type stdio struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// newRoot is the command tree for a client.
func newRoot(c *client) *cobra.Command {
	io := c.io
	root := &cobra.Command{
		Use:           "proffer",
		Short:         "A datacenter kernel: many machines, offered to frameworks, as one computer",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.SetVersionTemplate("proffer {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see `%s --help`", err, cmd.CommandPath())
	})
	f := root.PersistentFlags()
	f.StringVar(&c.addr, "addr", "", "the masters, comma separated (default $PROFFER_ADDR, else the address file of --up-dir, else 127.0.0.1:5050)")
	f.StringVar(&c.token, "token", "", "the credential (default $PROFFER_TOKEN, else, for the masters of --up-dir, its token file)")
	f.StringVar(&c.dir, "up-dir", "", "directory of a `proffer up` (default $PROFFER_DIR, else the default of `proffer up`)")
	f.BoolVar(&c.json, "json", false, "print the API's objects as JSON")
	root.AddCommand(
		upCommand(io), masterCommand(io), agentCommand(c), marathonishCommand(io), chronosishCommand(io), fetchCommand(io),
		runCommand(c), psCommand(c), logsCommand(c), killCommand(c), serviceCommand(c), jobCommand(c), frameworkCommand(c), statusCommand(c), bootCommand(c), clusterCommand(c),
		versionCommand(c),
	)
	for _, sub := range root.Commands() {
		strict(sub)
	}
	return root
}

// strict makes wrong arguments a usage error that names the command's help.
func strict(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usagef("%w; see `%s --help`", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		strict(sub)
	}
}

func versionCommand(c *client) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Example: "  proffer version",
		RunE: func(*cobra.Command, []string) error {
			if c.json {
				return c.printObject(map[string]any{"version": version})
			}
			_, err := fmt.Fprintln(c.io.out, "proffer", version)
			return err
		},
	}
}
