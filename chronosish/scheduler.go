package chronosish

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/profferhq/proffer/chronosish/api"
	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/gateway"
	"github.com/profferhq/proffer/sdk/scheduler"
)

// Scheduler is one chronosish.
type Scheduler struct {
	*scheduler.Scheduler[*book.Book]
	opts     Options
	registry *prometheus.Registry
}

var _ api.Backend = (*Scheduler)(nil)

// New makes a chronosish, which listens already. It refuses options that cannot
// work.
func New(o Options) (*Scheduler, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s := &Scheduler{opts: o, registry: prometheus.NewRegistry()}
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	shell, err := scheduler.New(o.Options, scheduler.Program[*book.Book]{
		Name: "chronosish", API: s.api, Metrics: prometheus.WrapRegistererWithPrefix(prefix, s.registry), Gauges: gauges(),
		Load: func(now time.Time, kvs []sdk.StoreKV) (*book.Book, error) { return book.Load(now, o.Book, kvs) },
	})
	if err != nil {
		return nil, err
	}
	s.Scheduler = shell
	return s, nil
}

// api is Chronos's REST, and the metrics.
func (s *Scheduler) api(verify func(http.Handler) http.Handler) http.Handler {
	rest := api.New(s, s.opts.API, verify)
	numbers := verify(gateway.Operators("the metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{})))
	// No ServeMux: it would answer paths with a double slash by a redirect.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" && strings.HasPrefix(r.Header.Get("Accept"), "text/plain") {
			numbers.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// Read calls do while the book stands still.
func (s *Scheduler) Read(do func(api.View)) { s.Scheduler.Read(func(b *book.Book) { do(b) }) }

// Change has the book make a change and waits for the answer.
func (s *Scheduler) Change(ctx context.Context, c book.Change) (book.Outcome, error) {
	return scheduler.Ask[book.Outcome](ctx, s.Scheduler, c)
}

// Output reads the end of what an attempt has written.
func (s *Scheduler) Output(ctx context.Context, agent sdk.AgentID, task sdk.TaskID, stream string, bytes int) (text []byte, from int64, err error) {
	return s.Scheduler.Output(ctx, framework.OutputRequest{AgentID: agent, TaskID: task, Stream: stream, Offset: -int64(bytes)})
}

// Info is who this chronosish is.
func (s *Scheduler) Info() api.Info {
	i := api.Info{Software: s.opts.Version}
	if at := s.Standing(); at.Leads {
		i.Elected, i.FrameworkID, i.Leader = true, string(at.FrameworkID), s.Address()
	}
	return i
}
