package marathonish

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/profferhq/proffer/marathonish/api"
	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/gateway"
	"github.com/profferhq/proffer/sdk/scheduler"
	"github.com/profferhq/proffer/sdk/scheduler/mind"
)

// Supervisor is one marathonish.
type Supervisor struct {
	*scheduler.Scheduler[*fleet.Fleet]
	opts    Options
	log     *slog.Logger
	ring    *ring
	metrics *metrics
}

var _ api.Backend = (*Supervisor)(nil)

// New makes a marathonish, which listens already. It refuses options that cannot
// work.
func New(o Options) (*Supervisor, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Supervisor{opts: o, log: o.Log.With("component", "marathonish"), ring: newRing(o.KeptEvents, time.Now()), metrics: newMetrics()}
	shell, err := scheduler.New(o.Options, scheduler.Program[*fleet.Fleet]{
		Name: "marathonish", Load: s.load, API: s.api, Perform: s.publish,
		Deposed: s.ring.drop,
		Closing: s.ring.close, // its readers hold their connections
		Metrics: prometheus.WrapRegistererWithPrefix(prefix, s.metrics.registry), Gauges: gauges(),
	})
	if err != nil {
		return nil, err
	}
	s.Scheduler = shell
	return s, nil
}

// load makes the fleet of what an earlier marathonish has left, at each beginning of a
// leadership.
func (s *Supervisor) load(now time.Time, kvs []sdk.StoreKV) (*fleet.Fleet, error) {
	o := s.opts.Fleet
	if _, err := rand.Read(o.Seed[:]); err != nil {
		return nil, err
	}
	s.boot()
	return fleet.Load(now, o, kvs)
}

// publish gives the fleet's events to those who follow them.
func (s *Supervisor) publish(now time.Time, e mind.Effect) {
	if p, ok := e.(fleet.Publish); ok {
		s.metrics.events.Inc()
		s.ring.publish(now, p.Body)
	}
}

// api is Marathon's REST, and the metrics.
func (s *Supervisor) api(verify func(http.Handler) http.Handler) http.Handler {
	rest := api.New(s, s.opts.API, verify)
	numbers := verify(gateway.Operators("the metrics", s.metrics.handler()))
	// No ServeMux: it would answer /v2/apps//x with a redirect, which Marathon serves.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			numbers.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// Read calls do while the fleet stands still.
func (s *Supervisor) Read(do func(api.View)) { s.Scheduler.Read(func(f *fleet.Fleet) { do(f) }) }

// Change has the fleet make a change and waits for the answer.
func (s *Supervisor) Change(ctx context.Context, c fleet.Change) (fleet.Outcome, error) {
	return scheduler.Ask[fleet.Outcome](ctx, s.Scheduler, c)
}

// Subscribe follows the events.
func (s *Supervisor) Subscribe(after uint64) (<-chan event.Event, func()) {
	return s.ring.subscribe(after)
}

// Info is who this marathonish is.
func (s *Supervisor) Info() api.Info {
	host, port, _ := net.SplitHostPort(s.Address())
	i := api.Info{Software: s.opts.Version, Hostname: host, Role: app.RoleDefault}
	i.Port, _ = strconv.Atoi(port)
	if at := s.Standing(); at.Leads {
		i.Elected, i.FrameworkID, i.Master, i.Leader = true, string(at.FrameworkID), at.Master, s.Address()
	}
	return i
}
