package api

import (
	"net/http"
	"time"

	"github.com/profferhq/proffer/sdk/scheduler/rest"
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
	return authorize(s.handler())
}

func (s *server) handler() http.Handler {
	h := rest.API{
		Name: "chronosish", Things: "jobs", Routes: s.routes(), Shape: shape, Unserved: sentence,
		Leads: func() bool { return s.backend.Info().Elected },
	}.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		h.ServeHTTP(w, r)
	})
}

// shape is the body of a refusal, as Chronos 3.x writes it.
func shape(r rest.Refusal) any {
	return struct {
		Message string `json:"message"`
		Status  string `json:"status"`
	}{r.Error(), http.StatusText(r.HTTPStatus())}
}

// sentence is what there is to say about a part of Chronos that is not served yet.
func sentence(path string) string {
	for _, base := range bases() {
		for _, n := range notServed() {
			if rest.Fits(base+n.path, path) {
				return n.sentence
			}
		}
	}
	return ""
}
