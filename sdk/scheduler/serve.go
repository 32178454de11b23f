package scheduler

import (
	"context"
	"net/http"
	"time"

	"github.com/profferhq/proffer/sdk/gateway"
)

// Times of the HTTP server.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	endTimeout        = 2 * time.Second
)

// serve answers the gateway, until the function that it returns is called.
func (s *Scheduler[M]) serve() (stop func()) {
	closing := s.program.Closing
	if closing == nil {
		closing = func() {}
	}
	if s.listener == nil {
		return closing
	}
	verify := gateway.New(s.opts.masters(), s.opts.Principal)
	server := &http.Server{Handler: s.program.API(verify.Handler), ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(s.listener) // ends with stop
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
		defer cancel()
		closing()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-done
	}
}
