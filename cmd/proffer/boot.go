package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/kernel/boot"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

func bootCommand(c *client) *cobra.Command {
	cmd := &cobra.Command{Use: "boot", Short: "What the cluster starts by itself: get, set, status", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(
		&cobra.Command{Use: "get", Short: "Print the boot manifest", Args: cobra.NoArgs,
			Example: "  proffer boot get > boot.yaml",
			RunE:    func(cmd *cobra.Command, _ []string) error { return bootGet(cmd, c) }},
		&cobra.Command{Use: "set FILE", Short: "Replace the boot manifest; what runs follows it", Args: cobra.ExactArgs(1),
			Long:    "set replaces the boot manifest by that of a file (- for standard input). What runs and is not\nin it any more is ended, what is described otherwise is replaced, one instance after the other.",
			Example: "  proffer boot set boot.yaml",
			RunE:    func(cmd *cobra.Command, args []string) error { return bootSet(cmd, c, args[0]) }},
		&cobra.Command{Use: "status", Short: "What init does about the manifest, and what it waits for", Args: cobra.NoArgs,
			Example: "  proffer boot status",
			RunE:    func(cmd *cobra.Command, _ []string) error { return bootStatus(cmd, c) }},
	)
	return cmd
}

func bootGet(cmd *cobra.Command, c *client) error {
	op, err := c.operator()
	if err != nil {
		return err
	}
	m, err := op.BootManifest(cmd.Context())
	if err != nil {
		return err
	}
	if m == nil {
		return sdk.Errorf(sdk.CodeNotFound, "", "there is no boot manifest: this cluster starts nothing by itself; `proffer boot set FILE` gives it one")
	}
	if c.json {
		return printMessage(c, m)
	}
	text, err := boot.FormatManifest(m)
	if err != nil {
		return err
	}
	_, err = c.io.out.Write(text)
	return err
}

func bootSet(cmd *cobra.Command, c *client, name string) error {
	text, err := readManifest(c.io.in, name)
	if err != nil {
		return err
	}
	m, err := boot.ParseManifest(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	op, err := c.operator()
	if err != nil {
		return err
	}
	return op.SetBootManifest(cmd.Context(), *m)
}

// readManifest reads a file, or standard input, to the bound that the parser names.
func readManifest(in io.Reader, name string) ([]byte, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, boot.MaxManifest+1))
}

func bootStatus(cmd *cobra.Command, c *client) error {
	op, err := c.operator()
	if err != nil {
		return err
	}
	b, err := op.Boot(cmd.Context())
	if err != nil {
		return err
	}
	if c.json {
		return printMessage(c, b)
	}
	if b.Message != "" {
		fmt.Fprintln(c.io.err, b.Message)
	}
	var rows [][]string
	for _, i := range b.Instances {
		rows = append(rows, []string{instanceName(i), strings.ToLower(string(i.State)), string(i.TaskID), i.Hostname, fmt.Sprint(i.Attempts), i.Why})
	}
	return table(c.io.out, []string{"INSTANCE", "STATE", "TASK", "AGENT", "LAUNCHES", "WHY"}, rows)
}

// printMessage prints one object of the API as JSON, in the mapping of Mesos's API.
func printMessage(c *client, object any) error {
	text, err := wire.Marshal(wire.JSON, object)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.io.out, string(text))
	return err
}

func instanceName(i sdk.BootInstance) string { return fmt.Sprintf("%s.%d", i.Framework, i.Index) }

// bootLines are what `status` says of boot: one line for what runs, one for each instance
// that does not. Nothing for a cluster that starts nothing by itself.
func bootLines(b *sdk.GetBoot) []string {
	switch {
	case b.Idle:
		return nil
	case b.Message != "":
		return []string{b.Message}
	}
	running := 0
	var out []string
	for _, i := range b.Instances {
		if i.State == sdk.BootRunning {
			running++
			continue
		}
		out = append(out, fmt.Sprintf("%s is %s: %s", instanceName(i), strings.ToLower(string(i.State)), i.Why))
	}
	return append([]string{fmt.Sprintf("%d of %d running", running, len(b.Instances))}, out...)
}
