package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/profferhq/proffer/kernel/consensus"
	"github.com/profferhq/proffer/kernel/master"
)

// masterFlags are the master's settings, with what is not an Option of its own.
type masterFlags struct {
	o        master.Options
	profile  string
	raft     time.Duration // after which a follower stands for election
	logLevel string
	check    bool
}

// masterSettings is the one table of the master's flags, variables and keys.
func masterSettings(m *masterFlags) *settings {
	o := &m.o
	return &settings{prefix: "PROFFER_MASTER", profiles: masterProfiles(), rows: []setting{
		{"dir", "this master's state", &o.Dir},
		{"bind", "address that all ports listen on; beyond loopback tokens travel in clear text", &o.Bind},
		{"port", "HTTP port", &o.Port},
		{"raft-port", "port of raft, between masters", &o.RaftPort},
		{"gossip-port", "port of the gossip, TCP and UDP", &o.GossipPort},
		{"hostname", "name or address that others reach this master by (default: --bind, or the machine's name)", &o.Hostname},
		{"names", "further names that the Host header of a request may carry", &o.Names},
		{"key", "file with the cluster key (proffer cluster key FILE makes one)", &o.KeyFile},
		{"insecure", "no credentials at all", &o.Insecure},
		{"cluster", "name of the cluster", &o.Cluster},
		{"boot", "manifest of what a new cluster starts by itself, read once at --bootstrap (none for nothing; default: marathonish and chronosish)", &o.Boot},
		{"bootstrap", "make a new cluster of an empty --dir, unless a master that the --join addresses lead to has one of that name", &o.Bootstrap},
		{"join", "gossip members to join, host:port each", &o.Join},
		{"raft-join", "raft addresses of masters whose cluster this one is to be added to, host:port each", &o.RaftJoin},
		{"expect", "raft addresses of the first masters of a new cluster, this one's among them, host:port each; the first of them makes the cluster when all are there", &o.Expect},
		{"profile", profileHelp, &m.profile},
		{"raft-timeout", "with several masters: one that hears nothing of the leader for this long stands for election", &m.raft},
		{"gossip-probe", "between two looks of the gossip at another member; four of them later a silent one is told of", &o.Probe},
		{"leader-wait", "how long a call waits for a leader before it is refused", &o.LeaderWait},
		{"gateway-timeout", "how long a framework may say nothing to a call through the gateway, before its answer and, but in a stream of events, inside it", &o.GatewayTimeout},
		{"publish", "PORT=NAME: a port that leads to the framework of that name, through the gateway", &o.Publish},
		{"allow-user", "PRINCIPAL:USER that a principal's tasks may run as", &o.AllowUsers},
		{"framework-launchers", "principals whose tasks may be frameworks with credentials of their own", &o.FrameworkLaunchers},
		{"system-headroom", "kept free on every agent for the role system, less what that has there already (empty for nothing)", &o.SystemHeadroom},
		{"offer-timeout", "an offer that nobody answers is taken back after this", &o.Mind.OfferTimeout},
		{"agent-timeout", "an agent that says nothing for this long is unreachable", &o.Mind.AgentTimeout},
		{"agent-removal-rate-limit", "how many silent agents become unreachable in what time, such as 1/10s or 20/1m (empty for no bound)", &o.RemovalRate},
		{"agent-removal-guard", "when more than this share of the agents, and at least two, are silent at once, none becomes unreachable: it may be the masters that are cut off (1 for no guard)", &o.Mind.MassShare},
		{"agent-removal-guard-wait", "but for this long at most", &o.Mind.MassWait},
		{"offer-share", "a new leader makes offers when this share of the agents is back", &o.Mind.OfferShare},
		{"offer-wait", "or after this; below zero: at once", &o.Mind.OfferWait},
		{"recovery-timeout", "agents and frameworks have this long to come back to a new leader", &o.Mind.RecoveryTimeout},
		{"registry-gc-interval", "how often the leader looks for agents that the registry may forget", &o.Mind.TrimInterval},
		{"registry-max-agent-age", "an agent that is unreachable or gone for longer than this is forgotten", &o.Mind.MaxAgentAge},
		{"registry-max-agent-count", "most unreachable, and most gone, agents that are remembered; the oldest are forgotten first", &o.Mind.MaxAgentCount},
		{"max-body", "largest body of a request, in bytes", &o.MaxBody},
		{"max-batch", "most calls in one body", &o.MaxBatch},
		{"store-limit", "most bytes of one space of the frameworks' store", &o.StoreLimit},
		{"max-queue", "most events that wait for a slow reader before its stream is dropped", &o.MaxQueue},
		{"write-timeout", "how long the reader of a stream may take nothing", &o.WriteTimeout},
		{"read-timeout", "for the whole body of a request", &o.ReadTimeout},
		{"log-level", "debug, info, warn or error", &m.logLevel},
	}}
}

// masterDefaults are the master's defaults; the daemon has a version to tell.
func masterDefaults() masterFlags {
	m := masterFlags{o: master.DefaultOptions(), profile: "default", logLevel: "info"}
	m.raft = m.o.Raft.Election
	m.o.Version = version
	return m
}

func masterCommand(io stdio) *cobra.Command {
	m := masterDefaults()
	s := masterSettings(&m)
	cmd := &cobra.Command{
		Use: "master", Short: "Run a master on this machine", Args: cobra.NoArgs,
		Example: "  proffer master --dir /var/lib/proffer/master --key /etc/proffer/key --bootstrap",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.load(cmd.Flags()); err != nil {
				return err
			}
			return runMaster(cmd.Context(), io, &m)
		},
	}
	s.register(cmd)
	testClock(cmd, &m.o.ClockOffset)
	cmd.Flags().BoolVar(&m.check, "check-config", false, "check the settings and stop")
	return cmd
}

// testClock is a flag that only tests set: clocks that are hours off.
func testClock(cmd *cobra.Command, offset *time.Duration) {
	cmd.Flags().DurationVar(offset, "test-clock-offset", 0, "added to the machine's clock")
	_ = cmd.Flags().MarkHidden("test-clock-offset") // it is there, a line above
}

func runMaster(ctx context.Context, io stdio, m *masterFlags) error {
	log, err := logger(io.err, m.logLevel)
	if err != nil {
		return usageError{err}
	}
	m.o.Log, m.o.Raft = log, consensus.Pace(m.raft)
	if err := m.o.Validate(); m.check {
		return checked(io, "master", err)
	} else if err != nil {
		return usageError{err}
	}
	daemon, err := master.New(m.o)
	if err != nil {
		return err
	}
	return daemon.Run(ctx)
}
