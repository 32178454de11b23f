package rest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/profferhq/proffer/sdk/gateway"
)

// Route is one line of the table of what is served. All of it is for operators only.
type Route struct {
	Method string // GET serves HEAD, too; OPTIONS is always served
	// Path has literal parts and placeholders: {name} stands for one part, {name...} for
	// one or more; a path has at most one of the latter.
	Path string
	Doc  string // a sentence for people

	Always bool // answered by an instance that does not lead, too
	// Handle answers. An error that is no Refusal is told as one: an *sdk.Error with the
	// status of its code, the end of the context with 503, any other with 500.
	Handle func(*Call) (Answer, error)
}

// API is what a scheduler serves.
type API struct {
	Name   string // of the scheduler, for people: marathonish
	Things string // what it knows once it leads, for people: apps
	// Routes are tried in their order: the first whose path fits decides, with all others of
	// the same path.
	Routes []Route
	// Leads tells whether this instance leads, and has its state.
	Leads func() bool
	// Shape is the JSON of a refusal; nil: {"message": …}.
	Shape func(Refusal) any
	// Head sets headers that all answers to operators have; nil for none.
	Head func(http.Header)
	// Unserved is what there is to say about a path that is not served, as a sentence; ""
	// for nothing, and nil always so.
	Unserved func(path string) string
}

// Handler serves the API, behind one that tells who calls (see gateway.CallerOf).
func (a API) Handler() http.Handler {
	t := &table{API: a}
	for _, r := range a.Routes {
		t.patterns = append(t.patterns, segments(r.Path))
	}
	return t
}

// table is an API with the paths of its routes in parts.
type table struct {
	API
	patterns [][]string
}

func (t *table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if who := gateway.CallerOf(r.Context()); !who.Operator {
		t.refuse(w, Refusef(http.StatusForbidden, "Only operators may use %s; the caller is %q, who is none.", t.Name, who.Principal))
		return
	}
	if t.Head != nil {
		t.Head(w.Header())
	}
	r, parts := tidy(r)
	first, args := t.find(parts)
	if first < 0 {
		t.unserved(w, r, http.StatusNotFound, Cut(r.URL.EscapedPath())+" is not served.")
		return
	}
	var allowed []string
	for _, route := range t.Routes[first:] {
		if route.Path != t.Routes[first].Path {
			continue
		}
		if r.Method == route.Method || r.Method == http.MethodHead && route.Method == http.MethodGet {
			t.answer(route, &Call{W: w, R: r, args: args})
			return
		}
		allowed = append(allowed, route.Method)
	}
	if r.Method == http.MethodOptions { // of browsers, before they ask
		w.Header().Set("Allow", strings.Join(append(allowed, r.Method), ", "))
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	t.unserved(w, r, http.StatusMethodNotAllowed, r.Method+" is not a method of "+Cut(r.URL.EscapedPath())+"; use "+strings.Join(allowed, " or ")+".")
}

// unserved refuses with the sentence that there is for the path, and otherwise with text.
func (t *table) unserved(w http.ResponseWriter, r *http.Request, status int, text string) {
	if t.Unserved != nil {
		if said := t.Unserved(r.URL.Path); said != "" {
			text = said
		}
	}
	t.refuse(w, Refusef(status, "%s", text))
}

func (t *table) answer(route Route, c *Call) {
	if !route.Always && !t.Leads() {
		t.refuse(c.W, Refusef(http.StatusServiceUnavailable, "This %s does not lead yet, or does not know its %s yet; ask again.", t.Name, t.Things))
		return
	}
	a, err := route.Handle(c)
	if err != nil {
		t.refuse(c.W, asRefusal(err))
		return
	}
	a.write(c.W)
}

// find is the first route whose path fits, and what stands for its placeholders; -1: none.
func (t *table) find(parts []string) (int, map[string]string) {
	for i, pattern := range t.patterns {
		if args, ok := fit(pattern, parts); ok {
			return i, args
		}
	}
	return -1, nil
}

// Fits tells whether a path is one of those that a Route's path stands for.
func Fits(pattern, path string) bool {
	_, ok := fit(segments(pattern), segments(path))
	return ok
}

// fit compares the parts of a path with those of a pattern, and gives what stands for its
// placeholders.
func fit(want, have []string) (args map[string]string, ok bool) {
	more := len(have) - len(want) // parts of the long placeholder beyond its first
	long := slices.IndexFunc(want, func(w string) bool { return strings.HasSuffix(w, "...}") })
	if more < 0 || more > 0 && long < 0 {
		return nil, false
	}
	at := 0
	for i, w := range want {
		part := have[at]
		if at++; i == long {
			part = strings.Join(have[at-1:at+more], "/")
			at += more
		}
		if name, is := strings.CutPrefix(w, "{"); is {
			if args == nil {
				args = map[string]string{}
			}
			args[strings.TrimSuffix(strings.TrimSuffix(name, "}"), "...")] = part
		} else if w != part {
			return nil, false
		}
	}
	return args, true
}

// segments are the parts of a path that are not empty.
func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// tidy is the request with one slash for several in its path and none at its end, and the
// parts of that.
func tidy(r *http.Request) (*http.Request, []string) {
	parts := segments(r.URL.Path)
	tidied, u := *r, *r.URL
	u.Path, u.RawPath = "/"+strings.Join(parts, "/"), ""
	tidied.URL = &u
	return &tidied, parts
}
