package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/kernel/agent/detect"
	"github.com/profferhq/proffer/kernel/master"
	"github.com/profferhq/proffer/kernel/up"
	"github.com/profferhq/proffer/sdk"
)

func upCommand(io stdio) *cobra.Command {
	o := up.DefaultOptions()
	o.Talk = io.err
	var taskUser string
	var allow []string
	var plain bool
	var profile string
	headroom := master.DefaultOptions().SystemHeadroom
	cmd := &cobra.Command{
		Use: "up", Short: "A whole cluster on this machine; ctrl-C stops all of it", Args: cobra.NoArgs,
		Long: "up starts masters and agents as processes of their own, with all state in one directory,\n" +
			"restarts one that dies, and on ctrl-C ends every task and leaves nothing behind.",
		Example: "  proffer up\n  proffer up --agents 3 --port-offset 100 --dir /var/lib/proffer/second",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Publish = slices.DeleteFunc(o.Publish, func(p string) bool { return p == "none" })
			if err := o.Validate(); err != nil {
				return usageError{err}
			}
			if err := checkDeclared(o); err != nil {
				return err
			}
			if _, known := masterProfiles()[profile]; !known {
				return usagef("--profile %q: must be default or fast", profile)
			}
			o.MasterArgs = append(o.MasterArgs, "--system-headroom", headroom, "--profile", profile)
			o.AgentArgs = append(o.AgentArgs, "--profile", profile)
			if taskUser != "" {
				o.AgentArgs = append(o.AgentArgs, "--task-user", taskUser)
			}
			for _, a := range allow {
				o.AgentArgs = append(o.AgentArgs, "--allow-user", a)
				o.MasterArgs = append(o.MasterArgs, "--allow-user", a)
			}
			if plain {
				o.AgentArgs = append(o.AgentArgs, "--no-cgroups")
			}
			return runUp(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Dir, "dir", o.Dir, "directory for all state")
	f.IntVar(&o.Masters, "masters", o.Masters, "how many masters")
	f.IntVar(&o.Agents, "agents", o.Agents, "how many agents share this machine")
	f.StringVar(&profile, "profile", "default", "of masters and agents: default, or fast (another leader after 0.4 s, an agent unreachable after 1.5 s)")
	f.IntVar(&o.PortOffset, "port-offset", 0, "shift every port by this much")
	f.StringVar(&o.Bind, "bind", o.Bind, "address of the masters; beyond loopback the tokens travel in clear text")
	f.StringVar(&o.Boot, "boot", "", "manifest of what a new cluster starts by itself, see configs/boot.yaml (none for nothing; default: marathonish and chronosish)")
	f.StringVar(&headroom, "system-headroom", headroom, "kept free on every agent for the role system (empty for nothing)")
	f.StringArrayVar(&o.Publish, "publish", o.Publish, "PORT=NAME: a port that leads to the framework of that name (again for more; none for no such port)")
	f.StringArrayVar(&o.Resources, "resources", nil, "what an agent offers, such as cpus:4;mem:8192 (once per agent, in order; default: its share of the machine)")
	f.StringArrayVar(&o.Attributes, "attributes", nil, "an agent's attributes, such as rack:r1 (once per agent, in order)")
	f.StringVar(&taskUser, "task-user", "", "user of tasks that name none (default nobody)")
	f.StringArrayVar(&allow, "allow-user", nil, "PRINCIPAL:USER that a principal's tasks may run as")
	f.BoolVar(&plain, "no-cgroups", false, "plain processes although groups could be used")
	f.BoolVar(&o.Insecure, "insecure", false, "no credentials at all: whoever reaches the ports owns the cluster")
	return cmd
}

// checkDeclared refuses what an agent would not start with, before anything is started.
func checkDeclared(o up.Options) error {
	for _, text := range o.Resources { // an empty one is its share of the machine
		if _, err := sdk.ParseResources(text); err != nil {
			return usagef("--resources %q: %w", text, err)
		}
	}
	for _, text := range o.Attributes {
		if _, err := sdk.ParseAttributes(text); err != nil {
			return usagef("--attributes %q: %w", text, err)
		}
	}
	return nil
}

func runUp(ctx context.Context, o up.Options) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	o.Binary = self
	if o.Machine, o.Overhead, err = machineOf(o.Dir); err != nil {
		return err
	}
	begin := time.Now()
	return up.Run(ctx, o, func(ctx context.Context, addr string) {
		c := &client{io: stdio{os.Stdin, os.Stdout, o.Talk}, addr: addr, dir: o.Dir}
		announce(ctx, c, o, begin)
	})
}

// machineOf is what the agents will share, and what each of them keeps of its share for
// launcher and executors. The directory need not exist yet.
func machineOf(dir string) (whole, overhead sdk.Resources, err error) {
	for dir != "/" && dir != "." {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	m, err := detect.Detect(detect.Options{WorkDir: dir})
	if err != nil {
		return nil, nil, fmt.Errorf("see what this machine has: %w", err)
	}
	return m.Resources.Add(m.Overhead), m.Overhead, nil
}
