package agent

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/profferhq/proffer/sdk"
)

// permission says who may call a route.
type permission uint8

const (
	anyone    permission = iota // no credential
	executors                   // the executor itself, by its token or the agent's own socket
	operators                   // operators, and masters that forward for one
	readers                     // operators, masters, and who has a token to read that task's output
	holders                     // any credential of this cluster: who may learn that a path is not there
)

// route is one row of the table of everything that the agent serves.
type route struct {
	method, path string
	who          permission
	doc          string
	serve        http.HandlerFunc
}

// Route is a row of the table, for documentation and tests.
type Route struct{ Method, Path, Permission, Doc string }

// Routes lists what an agent serves, who may call it, and what it is for.
func Routes() []Route {
	names := []string{"anyone", "executor", "operator", "reader"}
	var out []Route
	for _, r := range (&Agent{}).routes() {
		out = append(out, Route{r.method, r.path, names[r.who], r.doc})
	}
	return out
}

func (a *Agent) routes() []route {
	return []route{
		{http.MethodPost, "/api/v1/executor", executors, "the executor API: SUBSCRIBE answers a stream, other calls 202; one call or a sequence", a.serveExecutor},
		{http.MethodPost, "/slave(1)/api/v1/executor", executors, "the same, where Mesos's own executors look for it", a.serveExecutor},
		{http.MethodGet, "/files/browse", operators, "lists a directory of a sandbox: ?path=", a.serveBrowse},
		{http.MethodGet, "/files/read", operators, "reads part of a sandbox file as JSON: ?path=&offset=&length=", a.serveRead},
		{http.MethodGet, "/files/download", operators, "a sandbox file as it is: ?path=", a.serveDownload},
		{http.MethodGet, "/api/v1/logs", readers, "a task's output: ?framework_id=&task_id=&stream=stdout&offset=&follow=", a.serveLogs},
		{http.MethodGet, "/monitor/statistics", operators, "what each container uses", a.serveStatistics},
		{http.MethodGet, "/state", operators, "the agent at a glance", a.serveState},
		{http.MethodGet, "/metrics", operators, "figures for Prometheus", a.serveMetrics},
		{http.MethodGet, "/version", operators, "the program's version", a.serveVersion},
		{http.MethodGet, "/health", anyone, "200 while the agent lives", a.serveHealth},
	}
}

// handler is the table behind the checks that hold for every route.
func (a *Agent) handler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	for _, r := range a.routes() {
		serve := a.guard(r)
		e.Add(r.method, r.path, func(c echo.Context) error {
			serve(c.Response(), c.Request())
			return nil
		})
	}
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		// Paths and methods that are not there are kept from strangers, too.
		if !a.admitted(holders, c.Response(), c.Request()) {
			return
		}
		status := http.StatusInternalServerError
		var he *echo.HTTPError
		if errors.As(err, &he) {
			status = he.Code
		}
		http.Error(c.Response(), http.StatusText(status)+": "+c.Request().Method+" "+c.Request().URL.Path, status)
	}
	return e
}

// guard puts the checks of a route before it.
func (a *Agent) guard(r route) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if a.admitted(r.who, w, req) {
			r.serve(w, req)
		}
	}
}

// admitted answers a request that may not pass.
func (a *Agent) admitted(who permission, w http.ResponseWriter, req *http.Request) bool {
	err := a.admit(who, req)
	if err == nil {
		return true
	}
	if sdk.CodeOf(err) == sdk.CodeUnauthenticated {
		w.Header().Set("WWW-Authenticate", `Basic realm="proffer-agent"`)
	}
	refuse(w, err)
	return false
}

// refuse answers with the sentence of an error and the status of its class.
func refuse(w http.ResponseWriter, err error) {
	http.Error(w, err.Error(), sdk.CodeOf(err).HTTPStatus())
}

// serve runs both listeners until ctx ends.
func (a *Agent) serve(ctx context.Context) error {
	errs := make(chan error, 2)
	for _, l := range []net.Listener{a.tcp, a.unix} {
		go func() { errs <- a.server.Serve(l) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-errs:
		errs <- err
	}
	a.executors.endAll()
	stop, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if a.server.Shutdown(stop) != nil {
		_ = a.server.Close() // followers of logs do not end by themselves
	}
	for range 2 {
		if e := <-errs; !errors.Is(e, http.ErrServerClosed) && ctx.Err() == nil {
			err = e
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (a *Agent) serveHealth(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

func (a *Agent) serveVersion(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]string{"version": a.o.Software})
}

func (a *Agent) serveMetrics(w http.ResponseWriter, r *http.Request) {
	promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

// writeJSON answers a read. An error means that the reader has gone.
func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
