package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/kernel/agent"
	"github.com/profferhq/proffer/kernel/membership"
)

// agentFlags are the agent's settings, with what is not an Option of its own.
type agentFlags struct {
	o          agent.Options
	profile    string
	gossipPort int
	probe      time.Duration // of the gossip
	join       []string
	logLevel   string
	check      bool
	sweep      bool
}

// agentSettings is the one table of the agent's flags, variables and keys.
func agentSettings(a *agentFlags) *settings {
	o := &a.o
	return &settings{prefix: "PROFFER_AGENT", profiles: agentProfiles(), rows: []setting{
		{"dir", "work directory: checkpoint, sandboxes, logs, sockets", &o.Dir},
		{"bind", "address to listen at", &o.Bind},
		{"port", "HTTP port", &o.Port},
		{"hostname", "name in offers (default: the machine's)", &o.Hostname},
		{"advertise", "address under which others reach this agent (default: from --bind)", &o.Advertise},
		{"masters", "the masters, host:port each", &o.Masters},
		{"key", "file with the cluster key (proffer cluster key FILE makes one)", &o.KeyFile},
		{"insecure", "no credentials at all", &o.Insecure},
		{"cluster", "name of the cluster", &o.Cluster},
		{"gossip-port", "port of the gossip; 0 to stay out of it", &a.gossipPort},
		{"profile", profileHelp, &a.profile},
		{"link-timeout", "how long a master's answer to a registration is waited for, before another one is tried", &o.LinkTimeout},
		{"link-pause", "the longest pause between two tries to reach the leader", &o.LinkPause},
		{"gossip-probe", "between two looks of the gossip at another member", &a.probe},
		{"join", "gossip members to join, host:port each", &a.join},
		{"resources", "what is offered, such as cpus:4;mem:8192;rack:{a} (default: what is detected)", &o.Resources},
		{"overhead", "what was kept of the machine before --resources, for launcher and executors; only told", &o.Overhead},
		{"attributes", "such as rack:r1;level:3", &o.Attributes},
		{"task-user", "user of tasks that name none", &o.TaskUser},
		{"allow-user", "PRINCIPAL:USER that a principal's tasks may run as", &o.AllowUsers},
		{"first-uid", "first uid for tasks that carry a token", &o.FirstUID},
		{"last-uid", "last uid for tasks that carry a token", &o.LastUID},
		{"executor", "the program proffer-executor (default: beside this one)", &o.ExecutorBinary},
		{"allow-file-uris", "let tasks fetch file: URIs of this machine", &o.AllowFile},
		{"cgroup-parent", "name of the parent group (default: proffer- and a hash of --dir)", &o.CgroupParent},
		{"no-cgroups", "plain processes although groups could be used", &o.NoCgroups},
		{"pids", "processes and threads of a task that names no pids", &o.PidsDefault},
		{"log-bytes", "size of one log file, in bytes", &o.LogBytes},
		{"log-files", "log files kept for each of stdout and stderr", &o.LogFiles},
		{"kill-grace", "from SIGTERM to SIGKILL", &o.KillGrace},
		{"idle-executor", "an executor without tasks ends after this", &o.IdleExecutor},
		{"sandbox-keep", "sandboxes of ended tasks are kept this long", &o.SandboxKeep},
		{"disk-pressure", "part of the disk or of its inodes in use above which sandboxes go sooner, oldest first", &o.SandboxFull},
		{"sample-every", "how long a reading of the tasks' usage is kept for /metrics", &o.SampleEvery},
		{"launches", "containers prepared at once", &o.Launches},
		{"kill-tasks-on-stop", "end all tasks when the agent is stopped", &o.KillTasksOnStop},
		{"stop-timeout", "how long that may take", &o.StopTimeout},
		{"log-level", "debug, info, warn or error", &a.logLevel},
	}}
}

// agentDefaults are the agent's defaults.
func agentDefaults() agentFlags {
	a := agentFlags{o: agent.DefaultOptions(), profile: "default", gossipPort: 7947, probe: membership.DefaultProbe, logLevel: "info"}
	a.o.Cluster = "proffer"
	return a
}

func agentCommand(c *client) *cobra.Command {
	a := agentDefaults()
	s := agentSettings(&a)
	cmd := &cobra.Command{
		Use: "agent", Short: "Run an agent on this machine; `agent list` lists them, `agent drain` empties one", Args: cobra.NoArgs,
		Example: "  proffer agent --dir /var/lib/proffer/agent --masters m1:5050,m2:5050,m3:5050 --key /etc/proffer/key\n  proffer agent list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.load(cmd.Flags()); err != nil {
				return err
			}
			return runAgent(cmd.Context(), c.io, &a)
		},
	}
	s.register(cmd)
	testClock(cmd, &a.o.ClockOffset)
	cmd.Flags().BoolVar(&a.check, "check-config", false, "check the settings and stop")
	cmd.Flags().BoolVar(&a.sweep, "sweep", false, "end everything that a dead agent has left in --dir (tasks, executors, groups), and stop; no agent may run there")
	cmd.AddCommand(agentListCommand(c))
	cmd.AddCommand(agentCareCommands(c)...)
	return cmd
}

func runAgent(ctx context.Context, io stdio, a *agentFlags) error {
	log, err := logger(io.err, a.logLevel)
	if err != nil {
		return usageError{err}
	}
	a.o.Log, a.o.Software = log, version
	if err := a.o.Validate(); err != nil && !a.check {
		return usageError{err}
	} else if a.check {
		return checked(io, "agent", err)
	}
	if a.sweep {
		return agent.Sweep(ctx, a.o)
	}
	g, err := a.gossip()
	if err != nil {
		return err
	}
	daemon, err := agent.New(a.o)
	if err != nil {
		return err
	}
	stop := runGossip(ctx, g)
	defer stop()
	return daemon.Run(ctx)
}

// checked is the answer to --check-config: what a machine lacks is not the file's fault.
func checked(io stdio, daemon string, err error) error {
	if err != nil && !strings.Contains(err.Error(), "proffer-executor") && !strings.Contains(err.Error(), "key") {
		return usageError{err}
	}
	_, err = fmt.Fprintf(io.err, "the settings of the %s are good\n", daemon)
	return err
}

// logger writes text for a person at a terminal, JSON elsewhere.
func logger(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level %q: debug, info, warn or error", level)
	}
	if f, ok := w.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice == 0 {
			return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})), nil
		}
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})), nil
}
