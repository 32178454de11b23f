package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/operator"
)

// agentCareCommands are what an operator decides about one agent.
func agentCareCommands(c *client) []*cobra.Command {
	care := func(use, short, long string, do func(context.Context, *operator.Client, sdk.AgentID) error) *cobra.Command {
		name, _, _ := strings.Cut(use, " ")
		return &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.ExactArgs(1),
			Example: "  proffer agent " + name + " 10.0.0.7:5051",
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.asOperator(func(op *operator.Client) error {
					id, err := findAgent(cmd.Context(), op, args[0])
					if err != nil {
						return err
					}
					return do(cmd.Context(), op, id)
				})
			}}
	}
	var sure bool
	gone := care("gone AGENT", "Say that a machine never comes back: what it ran is lost for certain",
		"gone is final: the agent's tasks become TASK_GONE_BY_OPERATOR, so that frameworks may start them\nelsewhere at once. A process that still runs there is ended when the agent is heard of, and the agent is\nrefused; start it with an empty --dir, as another one.",
		func(ctx context.Context, op *operator.Client, id sdk.AgentID) error {
			if !sure {
				return usagef("gone is final: say --yes when the machine %s will not come back", id)
			}
			return op.MarkGone(ctx, id)
		})
	gone.Flags().BoolVar(&sure, "yes", false, "the machine will not come back")
	return []*cobra.Command{
		drainCommand(c),
		care("deactivate AGENT", "Offer nothing of an agent any more; what runs there stays", "", func(ctx context.Context, op *operator.Client, id sdk.AgentID) error { return op.Deactivate(ctx, id) }),
		care("reactivate AGENT", "Offer an agent again that was deactivated or is drained", "", func(ctx context.Context, op *operator.Client, id sdk.AgentID) error { return op.Reactivate(ctx, id) }),
		gone,
	}
}

func drainCommand(c *client) *cobra.Command {
	var grace, timeout time.Duration
	var gone, detach bool
	cmd := &cobra.Command{Use: "drain AGENT", Short: "End everything that an agent runs, and give it nothing more", Args: cobra.ExactArgs(1),
		Long:    "drain has every task of the agent ended (its frameworks start them elsewhere) and waits until the agent\nis empty. `proffer agent reactivate` lets it be offered again. An agent that is away is drained when it\ncomes back.",
		Example: "  proffer agent drain 10.0.0.7:5051\n  proffer agent drain --max-grace 30s --gone AGENT",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.asOperator(func(op *operator.Client) error {
				ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
				defer cancel()
				id, err := findAgent(ctx, op, args[0])
				if err != nil {
					return err
				}
				if err := op.Drain(ctx, id, grace, gone); err != nil || detach {
					return err
				}
				return waitDrained(ctx, op, id)
			})
		}}
	f := cmd.Flags()
	f.DurationVar(&grace, "max-grace", -1, "most time between SIGTERM and SIGKILL (below zero: each task's own)")
	f.BoolVar(&gone, "gone", false, "mark the agent gone when it is drained; that is final")
	f.DurationVar(&timeout, "timeout", 10*time.Minute, "how long to wait until it is drained")
	f.BoolVar(&detach, "detach", false, "do not wait until it is drained")
	return cmd
}

// waitDrained waits until nothing runs on the agent any more.
func waitDrained(ctx context.Context, op *operator.Client, id sdk.AgentID) error {
	for {
		agents, err := op.Agents(ctx)
		if err != nil {
			return fmt.Errorf("the agent is being drained, but whether it is empty was not seen: %w", err)
		}
		here := false
		for _, a := range agents.Agents {
			if a.AgentInfo.ID != id {
				continue
			}
			if here = true; a.DrainInfo != nil && a.DrainInfo.State == sdk.Drained && !a.DrainInfo.Config.MarkGone {
				return nil
			}
		}
		if !here && !awaited(agents, id) {
			return nil // gone
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("agent %s is being drained, but is not empty yet (`proffer agent list`): %w", id, err)
		}
	}
}

// awaited tells whether a new leader waits for the agent.
func awaited(agents *sdk.GetAgents, id sdk.AgentID) bool {
	for _, info := range agents.RecoveredAgents {
		if info.ID == id {
			return true
		}
	}
	return false
}

// findAgent finds an agent by its id, the beginning of that, or host:port, when that
// fits only one.
func findAgent(ctx context.Context, op *operator.Client, name string) (sdk.AgentID, error) {
	agents, err := op.Agents(ctx)
	if err != nil {
		return "", err
	}
	infos := agents.RecoveredAgents
	for _, a := range agents.Agents {
		infos = append(infos, a.AgentInfo)
	}
	var fits []sdk.AgentID
	for _, info := range infos {
		host := fmt.Sprintf("%s:%d", info.Hostname, info.Port)
		switch {
		case string(info.ID) == name:
			return info.ID, nil
		case strings.HasPrefix(string(info.ID), name), host == name, info.Hostname == name:
			fits = append(fits, info.ID)
		}
	}
	switch len(fits) {
	case 0:
		return "", sdk.Errorf(sdk.CodeNotFound, "", "no agent is called %s; `proffer agent list` lists them", name)
	case 1:
		return fits[0], nil
	}
	return "", usagef("%s fits %d agents (%s, %s …); give the whole id", name, len(fits), fits[0], fits[1])
}
