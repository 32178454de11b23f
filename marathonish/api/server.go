package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/gateway"
)

// Options are the bounds of the API.
type Options struct {
	KeepAlive     time.Duration // between the empty lines of a quiet event stream
	WriteTimeout  time.Duration // for one event; a reader that is slower is cut off
	ChangeTimeout time.Duration // until a change that is not answered yet is given up with 503
	MaxBody       int64         // bytes
}

// DefaultOptions are the bounds in use.
func DefaultOptions() Options {
	return Options{
		KeepAlive:     5 * time.Second, // clients and proxies give up on silence of 10 s and more
		WriteTimeout:  10 * time.Second,
		ChangeTimeout: 30 * time.Second, // a store without a leader is back within a few seconds, or not soon
		MaxBody:       8 << 20,          // many apps at once, of which each has at most 512 KiB
	}
}

type server struct {
	backend Backend
	opts    Options
	now     func() time.Time
}

// New is the handler of the API. authorize stands before it and tells who calls (see
// gateway.CallerOf): whoever is no operator is refused with 403.
func New(b Backend, o Options, authorize func(http.Handler) http.Handler) http.Handler {
	s := &server{backend: b, opts: o, now: time.Now}
	return authorize(onlyOperators(s.router()))
}

func onlyOperators(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who := gateway.CallerOf(r.Context()); !who.Operator {
			refuse(w, app.Refusef(http.StatusForbidden, "Only operators may use marathonish; the caller is %q, who is none.", who.Principal))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// call is one request on its way.
type call struct {
	w   http.ResponseWriter
	r   *http.Request
	id  app.ID // of the address, absolute; "/" for none
	arg string // the task, version or deployment of the address
}

// serve answers by the line of the table that fits path and method.
func (s *server) serve(candidates []Route, w http.ResponseWriter, r *http.Request) {
	first := slices.IndexFunc(candidates, func(c Route) bool { _, _, ok := fits(c.Path, r.URL.Path); return ok })
	if first < 0 {
		s.nowhere(w, r)
		return
	}
	path := candidates[first].Path
	id, arg, _ := fits(path, r.URL.Path)
	var allowed []string
	for _, route := range candidates[first:] {
		if route.Path != path {
			continue
		}
		if r.Method == route.Method || r.Method == http.MethodHead && route.Method == http.MethodGet {
			s.answer(route, &call{w: w, r: r, id: app.Resolve(id), arg: arg})
			return
		}
		allowed = append(allowed, route.Method)
	}
	s.head(w)
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	text := sentence(r.URL.Path)
	if text == "" {
		text = r.Method + " is not a method of " + cut(r.URL.Path) + "; use " + strings.Join(allowed, " or ") + "."
	}
	refuse(w, app.Refusef(http.StatusMethodNotAllowed, "%s", text))
}

// nowhere answers what has no route: 404, and never 5xx, which go-marathon takes for a
// dead host.
func (s *server) nowhere(w http.ResponseWriter, r *http.Request) {
	s.head(w)
	w.Header().Del("Allow") // the router's, which lists all that it knows
	if text := sentence(r.URL.Path); text != "" {
		refuse(w, app.Refusef(http.StatusNotFound, "%s", text))
		return
	}
	refuse(w, app.Refusef(http.StatusNotFound, "%s is not served.", cut(r.URL.Path)))
}

// sentence is what there is to say about a part of Marathon that is not served yet.
func sentence(path string) string {
	for _, n := range notServed() {
		if path == n.path || strings.HasPrefix(path, n.path+"/") || strings.HasPrefix(path, n.path+"::") {
			return n.sentence
		}
	}
	return ""
}

// answer lets the route handle the call.
func (s *server) answer(route Route, c *call) {
	s.head(c.w)
	if !route.always && !s.backend.Info().Elected {
		refuse(c.w, app.Refusef(http.StatusServiceUnavailable, "This marathonish does not lead yet, or does not know its apps yet; ask again."))
		return
	}
	a, err := route.handle(s, c)
	if err != nil {
		refuse(c.w, asRefusal(err))
		return
	}
	a.write(c.w)
}

// head sets the headers that all answers have.
func (s *server) head(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "0")
	if l := s.backend.Info().Leader; l != "" {
		h.Set("X-Marathon-Leader", "http://"+l)
	}
}

// asRefusal makes an answer of any error.
func asRefusal(err error) *app.Refusal {
	var r *app.Refusal
	if errors.As(err, &r) {
		return r
	}
	var e *sdk.Error
	switch {
	case errors.As(err, &e):
		return app.Refusef(e.Code.HTTPStatus(), "%s", e.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return app.Refusef(http.StatusServiceUnavailable, "The change was not stored in time; it may still happen.")
	case errors.Is(err, context.Canceled):
		return app.Refusef(http.StatusServiceUnavailable, "The call was given up; the change may still happen.")
	}
	return app.Refusef(http.StatusInternalServerError, "%s", err.Error())
}

// clientIP is where the call began: the gateway, whose signature has been checked, puts
// the address behind those that the caller claims.
func (c *call) clientIP() string {
	if list := c.r.Header.Values("X-Forwarded-For"); len(list) > 0 {
		all := strings.Split(list[len(list)-1], ",")
		return strings.TrimSpace(all[len(all)-1])
	}
	if host, _, err := net.SplitHostPort(c.r.RemoteAddr); err == nil {
		return host
	}
	return c.r.RemoteAddr
}

// cut shortens what a caller said before it is repeated.
func cut(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}
