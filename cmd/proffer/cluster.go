package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

func clusterCommand(c *client) *cobra.Command {
	cmd := &cobra.Command{Use: "cluster", Short: "The masters: members, leader, join, remove, transfer, leave, snapshot; key and token for new ones", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	var force bool
	remove := &cobra.Command{Use: "remove NAME", Short: "Take a master out for good, such as one whose machine is lost", Args: cobra.ExactArgs(1),
		Long: "remove takes the vote of a master away for good. It does not come back by itself; join would add it\n" +
			"again. In the place of a lost one start another with an empty --dir and --raft-join.",
		Example: "  proffer cluster remove master-1f2e3d4c",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.asOperator(func(op *operator.Client) error {
				if err := op.RemoveMaster(cmd.Context(), args[0], force); err != nil {
					return err
				}
				c.adviseOdd(cmd.Context(), op, args[0])
				return nil
			})
		}}
	remove.Flags().BoolVar(&force, "force", false, "also where those that stay are no majority")
	cmd.AddCommand(
		&cobra.Command{Use: "members", Short: "The masters, who of them leads, and how far each is", Args: cobra.NoArgs,
			Example: "  proffer cluster members",
			RunE:    func(cmd *cobra.Command, _ []string) error { return clusterMembers(cmd.Context(), c) }},
		&cobra.Command{Use: "leader", Short: "The leading master", Args: cobra.NoArgs,
			Example: "  proffer cluster leader",
			RunE:    func(cmd *cobra.Command, _ []string) error { return clusterLeader(cmd.Context(), c) }},
		&cobra.Command{Use: "join HOST:PORT", Short: "Add the master that waits at this raft address", Args: cobra.ExactArgs(1),
			Long:    "join adds a master that was started with an empty --dir and waits. One that was started with\n--raft-join or --expect asks by itself.",
			Example: "  proffer cluster join 10.0.0.4:5052",
			RunE:    func(cmd *cobra.Command, args []string) error { return clusterJoin(cmd.Context(), c, args[0]) }},
		remove,
		&cobra.Command{Use: "transfer [NAME]", Short: "Hand the leadership to another master", Args: cobra.MaximumNArgs(1),
			Example: "  proffer cluster transfer",
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.asOperator(func(op *operator.Client) error {
					return op.TransferLeadership(cmd.Context(), append(args, "")[0])
				})
			}},
		&cobra.Command{Use: "leave NAME", Short: "Take a living master out in order, then it can be stopped", Args: cobra.ExactArgs(1),
			Long:    "leave hands the leadership over, if the master has it, and then takes its vote away. It goes on\nrunning without a part in the cluster; stop it then.",
			Example: "  proffer cluster leave master-1f2e3d4c",
			RunE:    func(cmd *cobra.Command, args []string) error { return clusterLeave(cmd.Context(), c, args[0]) }},
		snapshotCommand(c),
		clusterKeyCommand(c),
		clusterTokenCommand(c),
	)
	return cmd
}

// asOperator does something with the cluster's client.
func (c *client) asOperator(do func(*operator.Client) error) error {
	op, err := c.operator()
	if err != nil {
		return err
	}
	return do(op)
}

func clusterMembers(ctx context.Context, c *client) error {
	op, err := c.operator()
	if err != nil {
		return err
	}
	m, err := op.Masters(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printMessage(c, m)
	}
	voters, leader := 0, false
	outside := slices.ContainsFunc(m.Masters, func(x sdk.MasterMember) bool { return x.Name == m.Asked && x.Waiting })
	var rows [][]string
	for _, x := range m.Masters {
		role := "follows"
		switch {
		case x.Leader:
			role, leader = "leads", true
		case x.Waiting:
			role = "waits"
		case outside && !x.Voter:
			role = "?"
		case !x.Voter:
			role = "catches up"
		}
		if x.Voter {
			voters++
		}
		applied := ""
		if x.Applied > 0 {
			applied = fmt.Sprint(x.Applied)
		}
		rows = append(rows, []string{x.Name, role, cmp.Or(x.HTTP, "?"), x.Raft, applied, x.Version, x.Trouble})
	}
	if err := table(c.io.out, []string{"NAME", "ROLE", "HTTP", "RAFT", "APPLIED", "VERSION", "TROUBLE"}, rows); err != nil {
		return err
	}
	switch {
	case voters == 0:
		fmt.Fprintf(c.io.err, "%s is in no cluster yet: it waits to be added (proffer cluster join, on the cluster's side)\n", m.Asked)
	case !leader:
		fmt.Fprintf(c.io.err, "%s knows no leader: one needs %d of the %d masters that vote\n", m.Asked, voters/2+1, voters)
	}
	return nil
}

func clusterLeader(ctx context.Context, c *client) error {
	op, err := c.operator()
	if err != nil {
		return err
	}
	leader, err := op.WhoLeads(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return printMessage(c, leader)
	}
	_, err = fmt.Fprintf(c.io.out, "%s:%d\n", leader.Hostname, leader.Port)
	return err
}

// joinBound is how long join looks on while a master catches up.
const joinBound = time.Minute

func clusterJoin(ctx context.Context, c *client, address string) error {
	op, err := c.operator()
	if err != nil {
		return err
	}
	before, err := op.Masters(ctx)
	if err != nil {
		return err
	}
	if err := op.AddMaster(ctx, address); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, joinBound)
	defer cancel()
	err = c.untilMasters(ctx, op, "it has not got its vote within "+joinBound.String()+"; it goes on trying, and says why on its side", func(m *sdk.Masters) bool {
		name := joined(before, m, address)
		if name == "" {
			return false
		}
		fmt.Fprintf(c.io.err, "%s votes\n", name)
		return true
	})
	if err == nil {
		c.adviseOdd(ctx, op, "")
	}
	return err
}

// joined is the master that was added by a raft address and votes now, or "". It may go by
// another address than that, such as the number of a host's name: then it is the one that
// did not vote before.
func joined(before, now *sdk.Masters, address string) string {
	voted := map[string]bool{}
	for _, x := range before.Masters {
		if x.Voter {
			voted[x.Name] = true
		}
	}
	anew := ""
	for _, x := range now.Masters {
		switch {
		case x.Voter && x.Raft == address:
			return x.Name
		case x.Voter && !voted[x.Name] && len(voted) > 0: // one that waits knows of no voter
			anew = x.Name
		}
	}
	return anew
}

// adviseOdd says that a cluster has an even number of masters, after a change that was
// done: so it is no advice when their number can not be read. That gone votes no
// more, whoever is asked may not have heard yet.
func (c *client) adviseOdd(ctx context.Context, op *operator.Client, gone string) {
	m, err := op.Masters(ctx)
	if err != nil {
		return
	}
	voters := 0
	for _, x := range m.Masters {
		if x.Voter && x.Name != gone {
			voters++
		}
	}
	if advice := oddAdvice(voters); advice != "" {
		fmt.Fprintln(c.io.err, advice)
	}
}

// oddAdvice is what is to be said of that many masters that vote, or "".
func oddAdvice(voters int) string {
	if voters == 0 || voters%2 == 1 {
		return ""
	}
	return fmt.Sprintf("%d masters vote now, which can lose no more of them than %d could (%d): have an odd number, by proffer cluster join or leave", voters, voters-1, (voters-1)/2)
}

// transferBound is how long leave waits for another leader.
const transferBound = 15 * time.Second

func clusterLeave(ctx context.Context, c *client, name string) error {
	op, err := c.operator()
	if err != nil {
		return err
	}
	m, err := op.Masters(ctx)
	if err != nil {
		return err
	}
	for _, x := range m.Masters {
		if x.Name != name || !x.Leader {
			continue
		}
		if err := op.TransferLeadership(ctx, ""); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, transferBound)
		defer cancel()
		if err := c.untilMasters(ctx, op, "no other master leads yet", func(m *sdk.Masters) bool {
			for _, x := range m.Masters {
				if x.Leader && x.Name != name {
					return true
				}
			}
			return false
		}); err != nil {
			return err
		}
	}
	if err := op.RemoveMaster(ctx, name, false); err != nil {
		return err
	}
	c.adviseOdd(ctx, op, name)
	return nil
}

// untilMasters looks at the masters until they are as they should be.
func (c *client) untilMasters(ctx context.Context, op *operator.Client, why string, done func(*sdk.Masters) bool) error {
	for {
		m, err := op.Masters(ctx)
		if err == nil && done(m) {
			return nil
		}
		if pause(ctx, 100*time.Millisecond) != nil {
			return errors.New(why)
		}
	}
}
