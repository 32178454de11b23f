package master

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/profferhq/proffer/kernel/consensus"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/membership"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/sdk"
)

// Master is one master process.
type Master struct {
	opts      Options
	key       credential.Key
	name      string // among the voters and in gossip
	host      string // that others reach this master by
	names     map[string]bool
	started   time.Time
	http      *http.Server
	listener  net.Listener
	published []publication
	manifest  *sdk.BootManifest // of a new cluster
	gateway   *http.Transport   // to frameworks
	peers     *http.Transport   // to agents and, from a follower, to the leader
	consensus *consensus.Node
	gossip    *membership.Gossip
	hints     sync.Mutex // orders what gossip tells a leader
	metrics   *metrics
	requests  atomic.Uint64
	leads     atomic.Pointer[leader]
	keeps     atomic.Pointer[keeping] // the store, while this master leads
	named     atomic.Pointer[named]   // the masters, as answers name them
	changed   *bell                   // rings when another leader is known
	fatal     chan error
	reaching  chan struct{} // room for one address that is tried
	reports   chan struct{} // room for one agent's report that is decoded
}

// New checks the options, reads the key, binds every port and opens the disk.
// Requests are served once Run is called.
func New(o Options) (*Master, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	m := &Master{opts: o, started: time.Now(), metrics: newMetrics(), gateway: newGatewayTransport(o.GatewayTimeout), peers: newGatewayTransport(max(o.GatewayTimeout, time.Minute) + leaderSlack),
		changed: newBell(), fatal: make(chan error, 1), reaching: make(chan struct{}, reachAtOnce), reports: make(chan struct{}, reportsAtOnce)}
	var err error
	if m.manifest, err = readManifest(o.Boot); err != nil {
		return nil, err
	}
	if o.Insecure {
		o.Log.Warn("--insecure: everybody who reaches this master can do everything; no credential is asked for")
	} else {
		key, err := credential.ReadKeyFile(o.KeyFile)
		if err != nil {
			return nil, err
		}
		m.key = key
	}
	if ip := net.ParseIP(o.Bind); ip != nil && !ip.IsLoopback() {
		o.Log.Warn("this master listens beyond loopback: tokens and data travel in clear text until TLS comes", "bind", o.Bind)
	}
	m.host = o.Hostname
	if ip := net.ParseIP(o.Bind); m.host == "" && ip != nil && ip.IsUnspecified() {
		m.host, _ = os.Hostname()
	}
	if m.host == "" {
		m.host = o.Bind
	}
	m.names = map[string]bool{"localhost": true, strings.ToLower(m.host): true}
	for _, n := range o.Names {
		m.names[strings.ToLower(n)] = true
	}
	if err := m.open(); err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

// open binds the ports and opens the disk, the part of New that must be undone.
func (m *Master) open() (err error) {
	if err := os.MkdirAll(m.opts.Dir, 0o700); err != nil {
		return fmt.Errorf("the master's directory: %w", err)
	}
	if m.name, err = nameIn(m.opts.Dir); err != nil {
		return err
	}
	if m.listener, err = m.listen(m.opts.Port, "--port", false); err != nil {
		return err
	}
	if err := m.publish(); err != nil {
		return err
	}
	raftListener, err := m.listen(m.opts.RaftPort, "--raft-port", false)
	if err != nil {
		return err
	}
	raftAddr := m.reached(raftListener)
	m.gossip, err = membership.New(membership.Options{
		Name: m.name, Cluster: m.opts.Cluster, Bind: m.opts.Bind, Port: m.opts.GossipPort, Advertise: addressOf(m.opts.Hostname),
		Key: m.key, Insecure: m.opts.Insecure, Seeds: m.opts.Join, Meta: m.opts.gossipMeta(m.Addr(), raftAddr), Probe: m.opts.Probe,
		Log: m.opts.Log.With("part", "membership")})
	if err != nil {
		return errors.Join(err, raftListener.Close())
	}
	co := consensus.DefaultOptions()
	co.Name, co.Dir, co.Listener, co.Advertise = m.name, filepath.Join(m.opts.Dir, "raft"), raftListener, raftAddr
	co.Key, co.Bootstrap, co.Solo, co.Many = m.key, m.opts.Bootstrap, m.opts.Solo, m.opts.Raft
	co.Cluster, co.Member = m.opts.Cluster, m.member()
	co.Log, co.Fatal = m.opts.Log.With("part", "consensus"), m.die
	co.Observe, co.Changed = m.observeStore, m.changed.ring
	if len(m.opts.Join) > 0 {
		co.Elsewhere = m.otherMasters
	}
	if len(m.opts.Expect) > 0 && !slices.Contains(m.opts.Expect, raftAddr) {
		return fmt.Errorf("--expect: names the raft addresses of the first masters, and this one's, %s, is not among them (--hostname and --raft-port make it)", raftAddr)
	}
	var c *consensus.Node
	if err := m.alive(func() (err error) { c, err = consensus.New(co); return err }); err != nil {
		return err
	}
	m.consensus = c
	m.metrics.store(func() (s store.Stats) {
		m.consensus.ViewStore(func(st *store.State) { s = st.Stats() })
		return s
	})
	m.http = m.newServer(m.router())
	return nil
}

// otherMasters are the raft addresses of the masters that gossip finds until ctx ends.
func (m *Master) otherMasters(ctx context.Context) (all []string) {
	ctx, cancel := context.WithTimeout(ctx, meetBound)
	defer cancel()
	for _, o := range m.gossip.Meet(ctx) {
		if o.Role == membership.RoleMaster && o.Name != m.name && o.Raft != "" {
			all = append(all, o.Raft)
		}
	}
	return all
}

// meetBound is for how long a master that is to make a cluster waits for the gossip's seeds.
const meetBound = 2 * time.Second

// reached is host:port that others reach a listener by.
func (m *Master) reached(ln net.Listener) string {
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return net.JoinHostPort(m.host, port)
}

// addressOf is the name when it is an address, which gossip can announce as such.
func addressOf(host string) string {
	if net.ParseIP(host) != nil {
		return host
	}
	return ""
}

// Addr is host:port of this master's HTTP.
func (m *Master) Addr() string { return m.reached(m.listener) }

// GossipAddr is host:port of this master's gossip.
func (m *Master) GossipAddr() string { return m.gossip.Addr() }

// leader is this master's leadership, nil while it does not lead.
func (m *Master) leader() *leader { return m.leads.Load() }

// leaderHTTP is host:port of the leader's HTTP, or why it is not known.
func (m *Master) leaderHTTP() (addr, why string) {
	name, _, ok := m.consensus.Leader()
	if !ok {
		return "", "No leader elected"
	}
	if name == m.name {
		return m.Addr(), ""
	}
	for _, member := range m.gossip.Members() {
		if member.Name == name && member.HTTP != "" {
			return member.HTTP, ""
		}
	}
	return "", "the leader's address has not been heard of yet"
}

// die ends the process's part of the cluster: the disk failed, so nothing that
// this master would say from here on can be trusted. It does not return.
func (m *Master) die(err error) {
	select {
	case m.fatal <- err:
	default:
	}
	select {}
}

// alive gives what f gives, or what this master died of meanwhile: then f may never
// return, because the disk that it waits for is not asked again.
func (m *Master) alive(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case err := <-m.fatal:
		return err
	}
}

// nameIn is this master's name, made at its first start: one that lost its disk
// comes back as another.
func nameIn(dir string) (string, error) {
	path := filepath.Join(dir, "name")
	data, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(data))) > 0 {
		return strings.TrimSpace(string(data)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("this master's name: %w", err)
	}
	name := "master-" + uuid.NewString()[:8]
	tmp := path + ".new"
	if err := os.WriteFile(tmp, []byte(name+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("this master's name: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return "", fmt.Errorf("this master's name: %w", err)
	}
	return name, nil
}

func (m *Master) close() error {
	var errs []error
	if m.gossip != nil {
		errs = append(errs, m.gossip.Close())
	}
	if m.consensus != nil {
		errs = append(errs, m.consensus.Close())
	}
	if m.listener != nil {
		if err := m.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	m.gateway.CloseIdleConnections()
	m.peers.CloseIdleConnections()
	return errors.Join(append(errs, m.closePublished())...)
}

// Close ends a master that Run was never called for.
func (m *Master) Close() error { return m.close() }

// answerTimeout is how long the reader of an answer may take, beside the time for
// the request's body.
const answerTimeout = time.Minute

// stopTimeout bounds the end of open requests.
const stopTimeout = 2 * time.Second

// Run serves until ctx ends (nil) or something fails that this process can not
// go on without. Every goroutine has ended when it returns, except after a failed
// disk, when only the end of the process helps.
func (m *Master) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 3+len(m.published))
	gossiping, leading, joining := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(joining)
		m.consensus.Join(ctx, m.opts.RaftJoin, m.opts.Expect)
	}()
	go func() {
		defer close(gossiping)
		failed <- m.gossip.Run(ctx)
	}()
	go func() {
		for {
			select {
			case e := <-m.gossip.Events():
				m.changed.ring() // it may be the leader's address that is known now
				m.suspect(e)
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		defer close(leading)
		failed <- m.lead(ctx)
	}()
	serve := func(s *http.Server, ln net.Listener) {
		if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("HTTP on %s: %w", m.reached(ln), err)
		}
	}
	go serve(m.http, m.listener)
	for _, p := range m.published {
		go serve(p.server, p.listener)
	}
	m.opts.Log.Info("master serves", "http", m.Addr(), "name", m.name, "cluster", m.opts.Cluster)
	var err error
	select {
	case err := <-m.fatal:
		return err
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel()
	return m.alive(func() error {
		<-leading
		stop, done := context.WithTimeout(context.Background(), stopTimeout)
		defer done()
		for _, s := range m.servers() {
			if serr := s.Shutdown(stop); serr != nil {
				_ = s.Close()
			}
		}
		<-gossiping
		<-joining
		return errors.Join(err, m.close())
	})
}

// servers are that of this master's own port and those of the published ones.
func (m *Master) servers() []*http.Server {
	all := []*http.Server{m.http}
	for _, p := range m.published {
		all = append(all, p.server)
	}
	return all
}
