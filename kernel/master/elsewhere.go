package master

import (
	"context"
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
	case addr == "":
		w.Header().Set("Retry-After", "1")
		plain(w, http.StatusServiceUnavailable, why)
	case r.Leader == carries && req.Header.Get(headerHop) == "":
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
		if why == "" {
			why = "the leader is changing; try again"
		}
		refuseJSON(w, sdk.Errorf(sdk.CodeUnavailable, "", "%s", why))
	default:
		m.carry(w, req, addr, servicePath+"/"+url.PathEscape(p.name)+p.rest, p)
	}
	return true
}

// carry brings a request to the leader, with the caller's own credential, once.
func (m *Master) carry(w http.ResponseWriter, req *http.Request, addr, path string, p passage) {
	p.leader = true
	m.proxy(w, req, p, func(r *httputil.ProxyRequest) {
		aim(r.Out.URL, &url.URL{Scheme: "http", Host: addr}, path, r.In.URL.RawQuery)
		r.Out.Host = addr
		r.Out.Header.Del("Origin") // it was checked here
		r.Out.Header.Set(headerHop, "1")
	})
}
