package chronosish

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/profferhq/proffer/chronosish/api"
	"github.com/profferhq/proffer/chronosish/book"
	"github.com/profferhq/proffer/sdk/gateway"
)

var _ api.Backend = (*Scheduler)(nil)

// Read calls do while the book stands still.
func (s *Scheduler) Read(do func(api.View)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	do(s.book)
}

// Change has the book make a change and waits for the answer.
func (s *Scheduler) Change(ctx context.Context, c book.Change) (book.Outcome, error) {
	answer := make(chan book.Reply, 1)
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
	s.queue.push(book.Request{ID: id, Change: c})
	select {
	case r := <-answer:
		if r.Refusal != nil {
			return book.Outcome{}, r.Refusal
		}
		return r.Outcome, nil
	case <-ctx.Done():
		return book.Outcome{}, context.Cause(ctx)
	}
}

func (s *Scheduler) reply(r book.Reply) {
	s.asked.Lock()
	answer := s.replies[r.ID]
	s.asked.Unlock()
	if answer != nil {
		answer <- r
	}
}

// Info is who this chronosish is.
func (s *Scheduler) Info() api.Info {
	i := api.Info{Software: s.opts.Version}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i.Elected = s.book != nil && s.kernel != nil; i.Elected {
		i.FrameworkID, i.Leader = string(s.kernel.ID()), s.address()
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
func (s *Scheduler) serve() (stop func()) {
	verify := gateway.New(s.mastersOptions(), s.opts.Principal)
	rest := api.New(s, s.opts.API, verify.Handler)
	numbers := verify.Handler(operators(promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{})))
	// No ServeMux: it would answer paths with a double slash by a redirect.
	root := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" && strings.HasPrefix(r.Header.Get("Accept"), "text/plain") {
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
