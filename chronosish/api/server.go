package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/gateway"
)

// Options are the bounds of the API.
type Options struct {
	ChangeTimeout time.Duration // until a change that is not answered yet is given up with 503
	MaxBody       int64         // bytes
}

// DefaultOptions are the bounds in use.
func DefaultOptions() Options {
	return Options{
		ChangeTimeout: 30 * time.Second, // a store without a leader is back within a few seconds, or not soon
		MaxBody:       4 << 20,          // a definition of 512 KiB, with every character escaped
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
		w.Header().Set("Access-Control-Allow-Origin", "*")
		if who := gateway.CallerOf(r.Context()); !who.Operator {
			refuse(w, job.Refusef(http.StatusForbidden, "Only operators may use chronosish; the caller is %q, who is none.", who.Principal))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// call is one request on its way.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	name string // of the address; "" for none
}

// answer lets the route handle the call.
func (s *server) answer(route Route, c *call) {
	if !route.always && !s.backend.Info().Elected {
		refuse(c.w, job.Refusef(http.StatusServiceUnavailable, "This chronosish does not lead yet, or does not know its jobs yet; ask again."))
		return
	}
	a, err := route.handle(s, c)
	if err != nil {
		refuse(c.w, asRefusal(err))
		return
	}
	a.write(c.w)
}

// nowhere answers what has no route.
func (s *server) nowhere(w http.ResponseWriter, r *http.Request) {
	w.Header().Del("Allow") // the router's, of what it took for the path
	if text := sentence(r.URL.Path); text != "" {
		refuse(w, job.Refusef(http.StatusNotFound, "%s", text))
		return
	}
	refuse(w, job.Refusef(http.StatusNotFound, "%s is not served.", cut(r.URL.EscapedPath())))
}

// wrongMethod answers a path that has routes, for other methods. The router thinks so of
// paths behind a job's name, too.
func (s *server) wrongMethod(w http.ResponseWriter, r *http.Request) {
	allowed := methods(r.URL.Path)
	if len(allowed) == 0 {
		s.nowhere(w, r)
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	refuse(w, job.Refusef(http.StatusMethodNotAllowed, "%s is not a method of %s; use %s.", r.Method, cut(r.URL.EscapedPath()), strings.Join(allowed, " or ")))
}

// methods are those by which a path is served.
func methods(path string) []string {
	var out []string
	for _, route := range Routes() {
		if slices.ContainsFunc(route.paths(), func(p string) bool { return fits(p, path) }) {
			out = append(out, route.Method)
		}
	}
	return out
}

// fits compares a path with a pattern, in which {name} stands for one part.
func fits(pattern, path string) bool {
	return slices.EqualFunc(segments(pattern), segments(path), func(want, have string) bool { return want == "{name}" || want == have })
}

// sentence is what there is to say about a part of Chronos that is not served yet.
func sentence(path string) string {
	for _, base := range bases() {
		for _, n := range notServed() {
			if fits(base+n.path, path) {
				return n.sentence
			}
		}
	}
	return ""
}

// asRefusal makes an answer of any error.
func asRefusal(err error) *job.Refusal {
	var r *job.Refusal
	if errors.As(err, &r) {
		return r
	}
	var e *sdk.Error
	switch {
	case errors.As(err, &e):
		return job.Refusef(e.Code.HTTPStatus(), "%s", e.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return job.Refusef(http.StatusServiceUnavailable, "The change was not stored in time; it may still happen.")
	case errors.Is(err, context.Canceled):
		return job.Refusef(http.StatusServiceUnavailable, "The call was given up; the change may still happen.")
	}
	return job.Refusef(http.StatusInternalServerError, "%s", err.Error())
}

// cut shortens what a caller said before it is repeated.
func cut(s string) string {
	const most = 200
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
