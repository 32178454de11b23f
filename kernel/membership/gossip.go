package membership

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/profferhq/proffer/kernel/credential"
)

// Options says how a Gossip runs.
type Options struct {
	Name      string // unique in the cluster
	Cluster   string // the cluster's name; members of another one are not heard
	Bind      string // address to listen on
	Port      int    // TCP and UDP; 0 takes a free one
	Advertise string // IP address that others reach Bind at; empty: found out
	Key       credential.Key
	Insecure  bool     // no key: anybody may join
	Seeds     []string // host:port of members to join, for ever
	Meta      Meta
	Probe     time.Duration // between two looks at another member; four of them later one that is silent has left. 0: a second
	Rejoin    time.Duration // between two attempts to reach seeds that are not members
	Log       *slog.Logger

	transport memberlist.Transport // of a test; nil for the network
}

// DefaultProbe is how often another member is looked at.
const DefaultProbe = time.Second

// DefaultRejoin is the pace of re-joining seeds.
const DefaultRejoin = 5 * time.Second

// Validate lists everything that is wrong with the options.
func (o Options) Validate() error {
	var errs []error
	need := func(ok bool, text string) {
		if !ok {
			errs = append(errs, errors.New("gossip: "+text))
		}
	}
	need(o.Name != "", "a member needs a name")
	need(o.Cluster != "" && len(o.Cluster) <= 128, "the cluster needs a name of at most 128 bytes")
	need(o.Log != nil, "a logger is needed")
	need(o.Key.IsZero() == o.Insecure, "exactly one of a cluster key and --insecure is needed")
	need(o.Port >= 0 && o.Port <= 65535, "the port must be between 0 and 65535")
	need(o.Meta.Role == RoleMaster || o.Meta.Role == RoleAgent, "the role must be master or agent")
	return errors.Join(errs...)
}

// Gossip is this process's membership.
type Gossip struct {
	opts   Options
	list   *memberlist.Memberlist
	meta   []byte
	events chan Event
	mu     sync.Mutex        // orders events
	around map[string]Member // by name, this one among them; memberlist's own nodes may change while one reads them
	left   map[string]Member // that are not around any more, by the address of their HTTP
	once   sync.Once
	err    error
}

// New listens and is a cluster of one until Run joins the seeds.
func New(o Options) (*Gossip, error) {
	if o.Rejoin == 0 {
		o.Rejoin = DefaultRejoin
	}
	if o.Probe == 0 {
		o.Probe = DefaultProbe
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	meta, err := encodeMeta(o.Meta)
	if err != nil {
		return nil, err
	}
	g := &Gossip{opts: o, meta: meta, events: make(chan Event, maxEvents), around: map[string]Member{}, left: map[string]Member{}}
	c := memberlist.DefaultLANConfig()
	c.Name, c.Label = o.Name, "proffer/"+o.Cluster
	c.BindAddr, c.BindPort, c.AdvertiseAddr, c.AdvertisePort = o.Bind, o.Port, o.Advertise, o.Port
	c.EnableCompression = false // small messages, and nothing to blow up
	c.GossipInterval = o.Probe / 2
	c.ProbeInterval, c.ProbeTimeout = o.Probe, o.Probe/2
	c.Logger = log.New(newExplainer(o.Log), "", 0)
	c.Transport = o.transport
	c.Delegate, c.Events = delegate{g}, delegate{g}
	if !o.Insecure {
		key := o.Key.Derive(credential.PurposeGossip)
		c.SecretKey = key[:]
	}
	if g.list, err = memberlist.Create(c); err != nil {
		return nil, fmt.Errorf("gossip on %s: %w", net.JoinHostPort(o.Bind, strconv.Itoa(o.Port)), err)
	}
	return g, nil
}

// Run joins the seeds, and again whenever one of them is not a member, until ctx
// ends; then it leaves in order.
func (g *Gossip) Run(ctx context.Context) error {
	t := time.NewTicker(g.opts.Rejoin)
	defer t.Stop()
	said, again := "", false
	for {
		said = g.join(said, again)
		again = true
		select {
		case <-t.C:
		case <-ctx.Done():
			return g.Close()
		}
	}
}

// Meet joins the seeds that answer before ctx ends, and gives the members that are known
// then. It is for one who has to know who is there before it goes on; Run tries on. A try
// at one that takes the connection and says nothing ends by itself within ten seconds.
func (g *Gossip) Meet(ctx context.Context) []Member {
	var all sync.WaitGroup
	for _, seed := range g.opts.Seeds {
		all.Go(func() { _, _ = g.list.Join([]string{seed}) }) // who does not answer is Run's to tell of
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		all.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	return g.Members()
}

// join tries the seeds that are not members and logs what changed since it said
// something last.
func (g *Gossip) join(said string, again bool) string {
	var missing []string
	members := g.addresses()
	for _, s := range g.opts.Seeds {
		if !slices.Contains(members, s) {
			missing = append(missing, s)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	now := ""
	if _, err := g.list.Join(missing); err != nil {
		now = explainJoin(err, g.opts.Cluster)
	}
	if now == nobodyThere && !again {
		return "" // those who start together do not find each other at once
	}
	if now != "" && now != said {
		g.opts.Log.Warn("can not join the gossip of the cluster, trying on", "seeds", strings.Join(missing, ","), "why", now)
	}
	return now
}

// addresses are those at which members of the cluster are reached now, and our own.
func (g *Gossip) addresses() []string {
	var out []string
	for _, m := range g.Members() {
		out = append(out, m.Gossip)
	}
	return out
}

// Members are those around as far as is known, this one included, sorted by name.
func (g *Gossip) Members() []Member {
	g.mu.Lock()
	out := slices.Collect(maps.Values(g.around))
	g.mu.Unlock()
	slices.SortFunc(out, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Departed are members that were around once and left, or stopped answering, and whose
// place nobody has taken since; at most maxLeft are remembered. Who never was a member is
// not among them.
func (g *Gossip) Departed() []Member {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Values(g.left))
}

// maxLeft bounds how many are remembered that are not around any more.
const maxLeft = 1 << 16

// remember notes who is not around any more. Callers hold mu.
func (g *Gossip) remember(kind Kind, m Member) {
	switch {
	case kind != Left:
		delete(g.left, m.HTTP)
		return
	case m.HTTP == "":
		return
	}
	for _, o := range g.around {
		if o.HTTP == m.HTTP {
			return // the same process under its next name, or one in its place
		}
	}
	if len(g.left) >= maxLeft {
		for at := range g.left { // any: it is a hint
			delete(g.left, at)
			break
		}
	}
	g.left[m.HTTP] = m
}

// maxEvents bounds the queue of events.
const maxEvents = 256

// Events tells what changes. When nobody reads them the oldest are dropped:
// Members holds the truth.
func (g *Gossip) Events() <-chan Event { return g.events }

// Addr is host:port that others reach this member at.
func (g *Gossip) Addr() string { return g.list.LocalNode().Address() }

// Close leaves the cluster in order and ends.
func (g *Gossip) Close() error {
	g.once.Do(func() {
		if g.list.NumMembers() > 1 {
			if err := g.list.Leave(time.Second); err != nil { // the others find out by themselves
				g.opts.Log.Debug("left the gossip unheard", "error", err)
			}
		}
		g.err = g.list.Shutdown()
	})
	return g.err
}
