package marathonish

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/profferhq/proffer/marathonish/api"
	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/marathonish/event"
	"github.com/profferhq/proffer/marathonish/fleet"
	"github.com/profferhq/proffer/sdk/gateway"
)

var _ api.Backend = (*Supervisor)(nil)

// Read calls do while the fleet stands still.
func (s *Supervisor) Read(do func(api.View)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	do(s.fleet)
}

// Change has the fleet make a change and waits for the answer.
func (s *Supervisor) Change(ctx context.Context, c fleet.Change) (fleet.Outcome, error) {
	answer := make(chan fleet.Reply, 1)
	s.asked.Lock()
	s.number++
	id := s.number
	s.replies[id] = answer
	s.asked.Unlock()
	defer func() {
		s.asked.Lock()
		delete(s.replies, id)
		s.asked.Unlock()
	}()
	s.queue.push(fleet.Request{ID: id, Change: c})
	select {
	case r := <-answer:
		if r.Refusal != nil {
			return fleet.Outcome{}, r.Refusal
		}
		return r.Outcome, nil
	case <-ctx.Done():
		return fleet.Outcome{}, context.Cause(ctx)
	}
}

func (s *Supervisor) reply(r fleet.Reply) {
	s.asked.Lock()
	answer := s.replies[r.ID]
	s.asked.Unlock()
	if answer != nil {
		answer <- r
	}
}

// Subscribe follows the events.
func (s *Supervisor) Subscribe(after uint64) (<-chan event.Event, func()) {
	return s.ring.subscribe(after)
}

// Info is who this marathonish is.
func (s *Supervisor) Info() api.Info {
	host, port, _ := net.SplitHostPort(s.address())
	i := api.Info{Software: s.opts.Version, Hostname: host, Role: app.RoleDefault}
	i.Port, _ = strconv.Atoi(port)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i.Elected = s.fleet != nil && s.kernel != nil; i.Elected {
		i.FrameworkID, i.Master, i.Leader = string(s.kernel.ID()), s.kernel.Leader(), s.address()
	}
	return i
}

// Times of the HTTP server.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	endTimeout        = 2 * time.Second
)

// serve answers the gateway, until the function that it returns is called.
func (s *Supervisor) serve() (stop func()) {
	verify := gateway.New(s.mastersOptions(), s.opts.Principal)
	rest := api.New(s, s.opts.API, verify.Handler)
	numbers := verify.Handler(operators(s.metrics.handler()))
	// No ServeMux: it would answer /v2/apps//x with a redirect, which Marathon serves.
	root := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			numbers.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	}
	server := &http.Server{Handler: http.HandlerFunc(root), ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(s.listener) // ends with stop
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
		defer cancel()
		s.ring.close() // its readers hold their connections
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-done
	}
}

func operators(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !gateway.CallerOf(r.Context()).Operator {
			http.Error(w, "Only operators may read the metrics.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
