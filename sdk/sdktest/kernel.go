package sdktest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/kernel/registry"
	"github.com/profferhq/proffer/kernel/store"
	"github.com/profferhq/proffer/kernel/view"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/operator"
)

// Kernel is a whole cluster in this process: one master, its agents, and what
// they run.
type Kernel struct {
	opts   Options
	log    *slog.Logger
	server *httptest.Server // nil on a memory network
	token  string

	mu       sync.Mutex
	closed   bool
	skew     time.Duration // by how much Advance is ahead of the real clock
	timer    *time.Timer
	mind     *cluster.Cluster
	registry *registry.State
	store    *store.State
	keeper   *store.Keeper
	watches  map[*watching]struct{}
	index    uint64 // of the last command of registry or store
	term     uint64
	inputs   []cluster.Input // not stepped yet
	requests uint64
	replies  map[uint64]*sdk.Error
	sessions uint64
	streams  map[cluster.Session]*stream // of schedulers
	watchers map[*stream]bool            // operators' streams; true for those that understand Proffer's own events
	view     *view.View
	master   sdk.MasterInfo
	agents   []*agent
	key      credential.Key // of the tokens of tasks

	lose       int // updates still to be lost on their way to the master
	loseWrites int // writes to the store whose answer is still to be lost
}

// New starts a kernel that ends with the test.
func New(t testing.TB, o Options) *Kernel {
	t.Helper()
	k, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// Start starts a kernel, with its agents registered; Close ends it. It refuses
// resources and attributes that cannot be read.
func Start(o Options) (*Kernel, error) {
	k := &Kernel{
		opts: o, log: o.Log, token: o.Token,
		registry: registry.New(), store: store.New(), key: credential.NewKey(),
		watches:  map[*watching]struct{}{},
		replies:  map[uint64]*sdk.Error{},
		streams:  map[cluster.Session]*stream{},
		watchers: map[*stream]bool{},
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	if k.token == "" {
		k.token = defaultToken
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.commit(registry.Command{Type: registry.CommandBootstrap, Bootstrap: &registry.Bootstrap{ClusterID: "sdktest", Name: "sdktest"}})
	k.elect()
	list := o.Agents
	if len(list) == 0 {
		list = []Agent{{}}
	}
	for i, a := range list {
		if a.Name == "" {
			a.Name = fmt.Sprintf("agent%d", i+1)
		}
		machine, err := newAgent(k, a, i)
		if err != nil {
			return nil, err
		}
		k.agents = append(k.agents, machine)
		machine.boot()
	}
	k.pump()
	if o.Network != nil {
		o.Network.Serve(memoryAddr, k.handler())
	} else {
		k.server = httptest.NewServer(k.handler())
	}
	return k, nil
}

// Close ends the kernel and every stream to it.
func (k *Kernel) Close() {
	k.mu.Lock()
	k.closed = true
	if k.timer != nil {
		k.timer.Stop()
	}
	k.dropStreams()
	k.mu.Unlock()
	if k.server != nil {
		k.server.CloseClientConnections()
		k.server.Close()
	}
}

// Addr is the master's "host:port", for clients.
func (k *Kernel) Addr() string {
	if k.server == nil {
		return memoryAddr
	}
	return strings.TrimPrefix(k.server.URL, "http://")
}

// Token is what clients must show; empty for a kernel without credentials.
func (k *Kernel) Token() string {
	if k.token == insecure {
		return ""
	}
	return k.token
}

// Framework is options for a framework of that name on this kernel.
func (k *Kernel) Framework(name string) framework.Options {
	o := framework.DefaultOptions(name)
	o.Addrs, o.Token, o.Transport = []string{k.Addr()}, k.Token(), k.transport()
	return o
}

// Operator is a client for tools on this kernel.
func (k *Kernel) Operator() *operator.Client {
	o := operator.DefaultOptions()
	o.Addrs, o.Token, o.Transport = []string{k.Addr()}, k.Token(), k.transport()
	c, err := operator.New(o)
	if err != nil {
		panic("sdktest: its own address is refused: " + err.Error())
	}
	return c
}

func (k *Kernel) transport() http.RoundTripper {
	if k.opts.Network == nil {
		return nil // and not a typed nil
	}
	return k.opts.Network
}

// Now is the kernel's time: the real one, and what Advance has added.
func (k *Kernel) Now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now()
}

func (k *Kernel) now() time.Time { return time.Now().Add(k.skew) }

// advanceStep is the most that passes at once, so that heartbeats keep coming.
const advanceStep = time.Second

// Advance lets time pass for the kernel, at once: tasks end, offers and agents time
// out, updates are sent again. Clients keep the real time.
func (k *Kernel) Advance(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for d > 0 {
		step := min(d, advanceStep)
		if due, ok := k.due(); ok {
			if until := due.Sub(k.now()); until > 0 && until < step {
				step = until
			}
		}
		k.skew += step
		d -= step
		k.pump()
	}
}

// Elect makes a new leader of the same master, as after a crash: its mind starts
// from the registry alone, all streams end, agents register anew.
func (k *Kernel) Elect() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropStreams()
	k.inputs = nil
	for _, a := range k.agents {
		a.session = ""
	}
	k.elect()
	for _, a := range k.agents {
		a.connect()
	}
	k.pump()
}

// elect starts a leader's mind. k.mu is held.
func (k *Kernel) elect() {
	k.term++
	o := cluster.DefaultOptions()
	o.Fence = link.Fence{Generation: k.registry.Generation(), Term: k.term}
	o.Master = sdk.MasterInfo{
		ID: fmt.Sprintf("sdktest-%d", k.term), IP: 0x0100007f, Port: 5050, Hostname: "127.0.0.1", Version: Version,
		Address: &sdk.Address{Hostname: "127.0.0.1", IP: "127.0.0.1", Port: 5050},
	}
	o.Registry = k.registry.Clone()
	for _, x := range []struct{ from, to *time.Duration }{
		{&k.opts.OfferTimeout, &o.OfferTimeout}, {&k.opts.AgentTimeout, &o.AgentTimeout}, {&k.opts.Heartbeat, &o.SchedulerHeartbeat},
	} {
		if *x.from > 0 {
			*x.to = *x.from
		}
	}
	k.master, k.view = o.Master, view.New(view.Options{})
	k.mind = cluster.New(k.now(), o)
	k.keeper = store.NewKeeper(k.now(), k.store.Leases())
}

// heartbeat is the time between HEARTBEAT events.
func (k *Kernel) heartbeat() time.Duration {
	if k.opts.Heartbeat > 0 {
		return k.opts.Heartbeat
	}
	return cluster.DefaultOptions().SchedulerHeartbeat
}

// Version is what the kernel calls itself.
const Version = "sdktest"

// waitUntil polls a condition that other goroutines bring about.
func waitUntil(ctx context.Context, condition func() bool) bool {
	for !condition() {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(2 * time.Millisecond):
		}
	}
	return true
}
