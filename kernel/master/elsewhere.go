package master

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// headerHop says that a master carried the request here already.
const headerHop = "Proffer-Hop"

// bell wakes all who wait for a change.
type bell struct {
	mu   sync.Mutex
	next chan struct{}
}

func newBell() *bell { return &bell{next: make(chan struct{})} }

// rings is closed by the next ring.
func (b *bell) rings() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.next
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.next)
	b.next = make(chan struct{})
}

// awaitLeader is host:port of another master that leads. Both are empty when this one
// does; otherwise why says what was waited for in vain, for at most LeaderWait.
func (m *Master) awaitLeader(ctx context.Context) (addr, why string) {
	bound := time.NewTimer(m.opts.LeaderWait)
	defer bound.Stop()
	for {
		rings := m.changed.rings()
		if m.leader() != nil {
			return "", ""
		}
		if addr, why = m.leaderHTTP(); addr != "" && addr != m.Addr() {
			return addr, ""
		}
		if why == "" {
			why = "Master has not finished recovery"
		}
		select {
		case <-rings:
		case <-bound.C:
			return "", why
		case <-ctx.Done():
			return "", why
		}
	}
}

// leaderChanges answers what was carried to a master that leads no more. A redirect would
// come to a caller that sent it to another master, and to a third HTTP clients give no
// credential.
const leaderChanges = "the leader is changing; try again"

// elsewhere deals with a request that only the leader answers, unless this master is
// it: it is carried there, or redirected, or refused while there is no leader.
func (m *Master) elsewhere(r Route, w http.ResponseWriter, req *http.Request) bool {
	if m.leader() != nil {
		return false
	}
	addr, why := m.awaitLeader(req.Context())
	switch {
	case addr == "" && why == "":
		return false
	case addr == "" || r.Leader == carries && req.Header.Get(headerHop) != "":
		w.Header().Set("Retry-After", "1")
		plain(w, http.StatusServiceUnavailable, cmp.Or(why, leaderChanges))
	case r.Leader == carries:
		m.carry(w, req, addr, req.URL.EscapedPath(), passage{})
	default:
		w.Header().Set("Location", "//"+addr+twin(req))
		empty(w, http.StatusTemporaryRedirect)
	}
	return true
}

// passToLeader brings a request for a framework to the leader, unless that is this one
// by now.
func (m *Master) passToLeader(w http.ResponseWriter, req *http.Request, p passage) bool {
	addr, why := m.awaitLeader(req.Context())
	switch {
	case addr == "" && why == "":
		return false
	case addr == "" || req.Header.Get(headerHop) != "":
		refuseJSON(w, sdk.Errorf(sdk.CodeUnavailable, "", "%s", cmp.Or(why, leaderChanges)))
	default:
		m.carry(w, req, addr, servicePath+"/"+url.PathEscape(p.name)+p.rest, p)
	}
	return true
}

// anotherLeads ends what was carried to a leader that is none any more.
type anotherLeads struct{}

func (anotherLeads) Error() string { return "it does not lead any more" }

// leaderSlack is how much longer a leader may think than a framework that it asks, whose
// silence it is to tell itself.
const leaderSlack = 5 * time.Second

// carry brings a request to the leader, with the caller's own credential, once. It waits
// for an answer while that one leads, and goes on with its body for as long, a framework's
// too: a stopped one holds the connection, and says nothing.
func (m *Master) carry(w http.ResponseWriter, req *http.Request, addr, path string, p passage) {
	p.leader = true
	ctx, end := context.WithCancelCause(req.Context())
	defer end(nil)
	go m.whileLeads(ctx, addr, end)
	m.proxy(w, req.WithContext(ctx), p, toLeader(addr, path))
}

// toLeader aims a request at the leader.
func toLeader(addr, path string) func(*httputil.ProxyRequest) {
	return func(r *httputil.ProxyRequest) {
		aim(r.Out.URL, &url.URL{Scheme: "http", Host: addr}, path, r.In.URL.RawQuery)
		r.Out.Host = addr
		r.Out.Header.Del("Origin") // it was checked here
		r.Out.Header.Set(headerHop, "1")
	}
}

// lastWord is how long a master that leads no longer has for its answer: one that lives
// gives it at once, and whoever had it hand over is owed one.
const lastWord = time.Second

// whileLeads calls end when the master at addr does not lead any more: after lastWord when
// another one does, after LeaderWait when none does. It returns then, or when ctx ends.
func (m *Master) whileLeads(ctx context.Context, addr string, end func(error)) {
	nobody := time.NewTimer(m.opts.LeaderWait)
	defer nobody.Stop()
	var bound <-chan time.Time // nil while somebody leads
	for {
		rings := m.changed.rings()
		switch now, _ := m.leaderHTTP(); {
		case now == addr:
			bound = nil
		case now != "":
			select {
			case <-time.After(lastWord):
				end(anotherLeads{})
			case <-ctx.Done():
			}
			return
		case bound == nil:
			nobody.Reset(m.opts.LeaderWait)
			bound = nobody.C
		}
		select {
		case <-rings:
		case <-bound:
			end(anotherLeads{})
			return
		case <-ctx.Done():
			return
		}
	}
}

// unanswered is what is told of a request that went to the leader and has no answer. Only
// of a read, and of what never left, is it certain that nothing was done.
func unanswered(req *http.Request, err error) *sdk.Error {
	code := sdk.CodeUnknown
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" || req.Method == http.MethodGet || req.Method == http.MethodHead {
		code = sdk.CodeUnavailable
	}
	if errors.Is(err, context.Canceled) {
		err = context.Cause(req.Context())
	}
	return sdk.Errorf(code, "", "the leading master does not answer: %v", err)
}
