package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func snapshotCommand(c *client) *cobra.Command {
	cmd := &cobra.Command{Use: "snapshot", Short: "All that the masters keep, as a file: save, restore", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	var force bool
	restore := &cobra.Command{Use: "restore FILE", Short: "Put a saved cluster in the place of a new one's", Args: cobra.ExactArgs(1),
		Long: "restore has new masters know what a lost cluster knew. Start them with the old cluster key and\n" +
			"name, restore, and the agents come back by themselves with what they run. Until then what belongs to\n" +
			"the lost cluster waits: agents, frameworks, and the tokens and leases of their tasks. Nothing that a\n" +
			"master of the old cluster has sent counts any more: the generation is higher, also when the same\n" +
			"file is restored again, because it is the time of the restore: see that the clock of the master\n" +
			"that leads is right. Leases of the store end, so that whoever leads by one reads anew.\n" +
			"While a master is of a release that could not read what is restored, restore refuses.",
		Example: "  proffer cluster snapshot restore cluster.snapshot",
		RunE: func(cmd *cobra.Command, args []string) error {
			return snapshotRestore(cmd.Context(), c, args[0], force)
		}}
	restore.Flags().BoolVar(&force, "force", false, "also where this cluster is in use; what it knows is lost")
	cmd.AddCommand(
		&cobra.Command{Use: "save FILE", Short: "Save registry and store", Args: cobra.ExactArgs(1),
			Example: "  proffer cluster snapshot save cluster.snapshot",
			RunE:    func(cmd *cobra.Command, args []string) error { return snapshotSave(cmd.Context(), c, args[0]) }},
		restore)
	return cmd
}

// snapshotSave writes beside the file first, so that one that is there is never half a
// snapshot. It holds what the store holds: only its owner may read it.
func snapshotSave(ctx context.Context, c *client, name string) error {
	op, err := c.operator()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".part-")
	if err != nil {
		return err
	}
	err = op.SaveSnapshot(ctx, f)
	var size int64
	if info, serr := f.Stat(); serr == nil {
		size = info.Size()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	_, err = fmt.Fprintf(c.io.err, "%s: %d bytes\n", name, size)
	return err
}

func snapshotRestore(ctx context.Context, c *client, name string, force bool) error {
	op, err := c.operator()
	if err != nil {
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := op.RestoreSnapshot(ctx, f, force); err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.io.err, "restored; the masters begin anew with it, and agents and frameworks come back to them")
	return err
}
