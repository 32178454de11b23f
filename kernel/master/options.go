package master

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/consensus"
	"github.com/profferhq/proffer/kernel/membership"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
	client "github.com/profferhq/proffer/sdk/store"
)

// Options says how a master runs.
type Options struct {
	Bind       string   // address that all ports listen on
	Port       int      // HTTP; 0 takes a free one, here and below
	RaftPort   int      // raft, between masters
	GossipPort int      // gossip, TCP and UDP
	Hostname   string   // name or address that others reach this master by; empty: Bind, or the machine's name
	Names      []string // further names that the Host header of a request may carry
	Dir        string   // this master's state
	KeyFile    string   // the cluster key; needed unless Insecure
	Insecure   bool     // no credentials at all
	Cluster    string   // the cluster's name
	Boot       string   // file of the boot manifest of a new cluster; empty for the default one, "none" for none
	Bootstrap  bool     // an empty Dir becomes a new cluster; else it waits to be added to one
	Join       []string // gossip addresses of other members, host:port
	RaftJoin   []string // raft addresses of masters whose cluster this one is to be added to, host:port
	Expect     []string // raft addresses of the first masters, this one among them; the first makes the cluster when all are there
	Version    string   // of this program, for people

	Publish            []string // PORT=NAME; a port of the gateway that leads to the framework of that name
	AllowUsers         []string // PRINCIPAL:USER; its tasks may run as that user ("*" for either: everybody, any user)
	FrameworkLaunchers []string // principals whose tasks may be frameworks with credentials

	MaxBody      int64         // largest body of a request, in bytes
	MaxBatch     int           // most calls in one body
	StoreLimit   int64         // most bytes of one space of the frameworks' store
	MaxQueue     int           // most events that wait for a slow reader before its stream is dropped; a burst may be 16 times as large
	WriteTimeout time.Duration // how long a stream's reader may take nothing
	ReadTimeout  time.Duration // for the whole body of a request
	Heartbeat    time.Duration // of operators' streams

	SystemHeadroom string // kept free on every agent for the role system, such as cpus:0.2;mem:192; empty for nothing

	RemovalRate string // how many silent agents become unreachable in what time, such as 1/10s; empty for no bound

	Mind       cluster.Options // times of the cluster's mind; Fence, Master, Registry and rights are filled in here
	LeaderWait time.Duration   // how long a call waits for a leader before it is refused

	GatewayTimeout time.Duration // how long a framework may say nothing to a call through the gateway: before its answer, and inside it
	StoreTimeout   time.Duration // how long a call of the store waits for the disks of a majority before it is answered as of unknown fate

	ClockOffset time.Duration // added to the machine's clock; for tests of wrong clocks

	Probe time.Duration    // between two looks of the gossip at another member; 0: a second
	Solo  consensus.Timing // raft's pace with one voter
	Raft  consensus.Timing // raft's pace with several
	Log   *slog.Logger
}

// DefaultOptions are those of the README's table; Dir, KeyFile and Log are the caller's.
func DefaultOptions() Options {
	raft := consensus.DefaultOptions()
	return Options{
		Bind:       "127.0.0.1",
		Port:       5050,
		RaftPort:   5052,
		GossipPort: 7946,
		Cluster:    "proffer",
		Version:    "dev",
		MaxBody:    96 << 20, // DPark sends 64 MiB
		MaxBatch:   10000,
		StoreLimit: store.DefaultSpaceLimit,
		// init's tasks are frameworks, and those of marathonish may be.
		FrameworkLaunchers: []string{"init", "marathonish"},
		SystemHeadroom:     "cpus:0.2;mem:192",
		MaxQueue:           1 << 16,
		WriteTimeout:       30 * time.Second,
		ReadTimeout:        time.Minute,
		Heartbeat:          15 * time.Second,
		Mind:               cluster.DefaultOptions(),
		Solo:               raft.Solo,
		Raft:               raft.Many,
		Probe:              membership.DefaultProbe,
		LeaderWait:         2 * time.Second, // an election takes 1.4 s at most
		GatewayTimeout:     time.Minute,
		StoreTimeout:       client.CallBound - time.Second, // it is to hear that from us
		Log:                slog.New(slog.DiscardHandler),
	}
}

// LocalOptions are for tests: free ports on loopback, state in dir, a cluster of
// one without credentials that leads within a tenth of a second.
func LocalOptions(dir string) Options {
	o := DefaultOptions()
	o.Port, o.RaftPort, o.GossipPort = 0, 0, 0
	o.Dir, o.Insecure, o.Bootstrap, o.Cluster = dir, true, true, "local"
	o.Boot, o.SystemHeadroom = "none", ""
	fast := 30 * time.Millisecond
	o.Solo = consensus.Timing{Heartbeat: fast, Election: fast, Lease: fast, Commit: 5 * time.Millisecond}
	return o
}

// Validate lists everything that is wrong with the options.
func (o Options) Validate() error {
	var errs []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	need(net.ParseIP(o.Bind) != nil || o.Bind == "localhost", "--bind %q: must be an IP address or localhost", o.Bind)
	ports := map[int]string{}
	for _, p := range []struct {
		flag string
		port int
	}{{"--port", o.Port}, {"--raft-port", o.RaftPort}, {"--gossip-port", o.GossipPort}} {
		need(p.port >= 0 && p.port <= 65535, "%s %d: must be 0 to 65535", p.flag, p.port)
		need(p.port == 0 || ports[p.port] == "", "%s %d: is also the port of %s", p.flag, p.port, ports[p.port])
		ports[p.port] = p.flag
	}
	need(o.Dir != "", "--dir: must name a directory for this master's state")
	need(o.Insecure || o.KeyFile != "", "--key: must name the file of the cluster key (or say --insecure, for no credentials at all)")
	need(!o.Insecure || o.KeyFile == "", "--insecure: a key file is given too; leave one of them away")
	need(o.Cluster != "" && len(o.Cluster) <= 128 && !strings.ContainsFunc(o.Cluster, func(r rune) bool { return r <= ' ' || r > '~' }),
		"--cluster %q: a name of 1 to 128 printable ASCII characters without spaces", o.Cluster)
	names := map[string]bool{}
	for _, text := range o.Publish {
		p, err := parsePublish(text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		need(p.port == 0 || ports[p.port] == "", "--publish %q: is also the port of %s", text, ports[p.port])
		need(!names[p.name], "--publish %q: the name has a port already", text)
		ports[p.port], names[p.name] = "--publish "+text, true
	}
	for _, a := range o.Join {
		_, port, err := net.SplitHostPort(a)
		n, perr := strconv.Atoi(port)
		need(err == nil && perr == nil && n > 0 && n <= 65535, "--join %q: must be host:port of a member's gossip", a)
	}
	for _, a := range o.RaftJoin {
		_, _, err := net.SplitHostPort(a)
		need(err == nil, "--raft-join %q: must be host:port of a master's raft", a)
	}
	need(len(o.RaftJoin) == 0 || !o.Bootstrap, "--raft-join: a master that bootstraps a cluster of its own joins no other")
	need(len(o.Expect) == 0 || !o.Bootstrap, "--expect: says who makes the cluster, and so does --bootstrap; leave one of them away")
	need(len(o.Expect) != 1, "--expect: names all of the first masters, this one among them; for one alone say --bootstrap")
	for _, a := range o.Expect {
		_, _, err := net.SplitHostPort(a)
		need(err == nil, "--expect %q: must be host:port of a master's raft", a)
	}
	need(o.LeaderWait >= 0, "--leader-wait %s: must not be below zero", o.LeaderWait)
	for _, u := range o.AllowUsers {
		at := strings.LastIndexByte(u, ':')
		need(at > 0 && at < len(u)-1, "--allow-user %q: must be PRINCIPAL:USER", u)
	}
	need(!slices.Contains(o.FrameworkLaunchers, ""), "--framework-launchers: must not be empty")
	need(o.StoreLimit > 0, "--store-limit %d: must be above zero", o.StoreLimit)
	need(o.MaxBody > 0 && o.MaxBatch > 0 && o.MaxQueue > 0, "limits of bodies, batches and queues must be above zero")
	need(o.GatewayTimeout > 0, "--gateway-timeout %s: must be above zero", o.GatewayTimeout)
	need(o.StoreTimeout > 0 && o.WriteTimeout > 0 && o.ReadTimeout > 0 && o.Heartbeat > 0, "time-outs and heartbeats must be above zero")
	for _, p := range []struct {
		flag string
		d    time.Duration
	}{{"--offer-timeout", o.Mind.OfferTimeout}, {"--agent-timeout", o.Mind.AgentTimeout}, {"--recovery-timeout", o.Mind.RecoveryTimeout},
		{"--registry-gc-interval", o.Mind.TrimInterval}, {"--registry-max-agent-age", o.Mind.MaxAgentAge}} {
		need(p.d > 0, "%s %s: must be above zero", p.flag, p.d)
	}
	if _, err := o.headroom(); err != nil {
		errs = append(errs, err)
	}
	if _, err := cluster.ParseRemovalRate(o.RemovalRate); err != nil {
		errs = append(errs, fmt.Errorf("--agent-removal-rate-limit: %w", err))
	}
	need(o.Mind.MaxAgentCount > 0, "--registry-max-agent-count %d: must be above zero", o.Mind.MaxAgentCount)
	need(o.Mind.MassShare > 0 && o.Mind.MassShare <= 1, "--agent-removal-guard %g: must be above 0, and 1 for no guard", o.Mind.MassShare)
	need(o.Mind.OfferShare > 0 && o.Mind.OfferShare <= 1, "--offer-share %g: must be above 0 and at most 1", o.Mind.OfferShare)
	need(o.Raft.Election >= 20*time.Millisecond, "--raft-timeout %s: must be at least 20ms", o.Raft.Election)
	need(o.Probe >= 20*time.Millisecond, "--gossip-probe %s: must be at least 20ms", o.Probe)
	need(o.Mind.MassWait > 0, "--agent-removal-guard-wait %s: must be above zero", o.Mind.MassWait)
	need(o.Log != nil, "a logger is needed")
	return errors.Join(errs...)
}

// headroom is SystemHeadroom as the allocator wants it.
func (o Options) headroom() (sdk.Resources, error) {
	r, err := sdk.ParseResources(o.SystemHeadroom)
	if err != nil {
		return nil, fmt.Errorf("--system-headroom %q: %w", o.SystemHeadroom, err)
	}
	for i := range r {
		if r[i].Scalar == nil || r[i].IsReserved() {
			return nil, fmt.Errorf("--system-headroom %q: must be amounts, such as cpus:0.2;mem:192", o.SystemHeadroom)
		}
	}
	return r, nil
}

// allowedUsers is AllowUsers as the mind wants it.
func (o Options) allowedUsers() map[string][]string {
	m := map[string][]string{}
	for _, u := range o.AllowUsers {
		at := strings.LastIndexByte(u, ':') // there is one, and no user's name has any
		principal, user := u[:at], u[at+1:]
		if principal == "*" {
			principal = "" // the mind's word for everybody
		}
		m[principal] = append(m[principal], user)
	}
	return m
}

func (o Options) gossipMeta(http, raft string) membership.Meta {
	return membership.Meta{Role: membership.RoleMaster, HTTP: http, Raft: raft, Release: o.Version}
}
