package api

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/profferhq/proffer/marathonish/app"
	"github.com/profferhq/proffer/sdk/scheduler/rest"
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
	return authorize(s.handler())
}

func (s *server) handler() http.Handler {
	return rest.API{
		Name: "marathonish", Things: "apps", Routes: s.routes(), Shape: shape, Unserved: sentence, Head: s.head,
		Leads: func() bool { return s.backend.Info().Elected },
	}.Handler()
}

// call is one request on its way.
type call struct {
	*rest.Call
	id  app.ID // of the address, absolute; "/" for none
	arg string // the task, version or deployment of the address
}

// of makes the handler of a route of what handles a call.
func of(do func(*call) (rest.Answer, error)) func(*rest.Call) (rest.Answer, error) {
	return func(c *rest.Call) (rest.Answer, error) {
		return do(&call{c, app.Resolve(c.Arg("id")), cmp.Or(c.Arg("task"), c.Arg("version"), c.Arg("deployment"))})
	}
}

// shape is the body of a refusal: one of an app has more than a sentence.
func shape(r rest.Refusal) any {
	if refusal, is := r.(*app.Refusal); is {
		return refusal
	}
	return app.Refusef(r.HTTPStatus(), "%s", r.Error())
}

// head sets the headers that all answers have.
func (s *server) head(h http.Header) {
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "0")
	if l := s.backend.Info().Leader; l != "" {
		h.Set("X-Marathon-Leader", "http://"+l)
	}
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
