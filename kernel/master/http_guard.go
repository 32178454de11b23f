package master

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/profferhq/proffer/kernel/cluster"
	"github.com/profferhq/proffer/kernel/credential"
	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
)

// caller is who a request comes from.
type caller struct {
	credential.Claims
	insecure bool // nobody was asked
}

// mind is the caller as the cluster's mind sees it.
func (c caller) mind() cluster.Caller {
	return cluster.Caller{Principal: c.Principal, Operator: c.insecure || c.Kind == credential.KindOperator}
}

// token is what the loop has to check: that the task of a framework lives.
func (c caller) token() *credential.Claims {
	if c.Kind == credential.KindFramework {
		return &c.Claims
	}
	return nil
}

// serve checks a request in the one order that all routes share, and hands it to
// the route: whom it is meant for, who it comes from, whether this master leads,
// then the method. The route checks content type, content and meaning.
func (m *Master) serve(r Route, w http.ResponseWriter, req *http.Request) {
	rec := &recorder{ResponseWriter: w}
	defer func() { m.metrics.request(r.Path, rec.status) }()
	w = rec
	if err := m.checkAddressed(req); err != nil {
		r.refuse(w, req, err)
		return
	}
	who, err := m.authenticate(r, req)
	if err != nil {
		if sdk.CodeOf(err) == sdk.CodeUnauthenticated {
			w.Header().Set("WWW-Authenticate", `Basic realm="`+r.Realm+`"`)
		}
		r.refuse(w, req, err)
		return
	}
	if challenge := req.Header.Get(credential.HeaderChallenge); challenge != "" && len(challenge) <= maxChallenge && !m.key.IsZero() {
		w.Header().Set(credential.HeaderProof, m.key.LinkProof(challenge))
	}
	if r.Permission != open && r.Path != servicePath && req.Header.Get(streamHeader) == "" && req.Header.Get(link.SessionHeader) == "" {
		m.nameMasters(w)
	}
	if r.Leader != anyMaster && m.elsewhere(r, w, req) {
		return
	}
	if r.Method != "" && r.Method != anyMethod && req.Method != r.Method && !(r.Method == http.MethodGet && req.Method == http.MethodHead) {
		w.Header().Set("Allow", r.Method)
		plain(w, http.StatusMethodNotAllowed, "405 Method Not Allowed. Expecting one of { '"+r.Method+"' }, but received '"+req.Method+"'.")
		return
	}
	r.handler(m, w, req, who)
}

// refuse answers an error in the route's own way.
func (r Route) refuse(w http.ResponseWriter, req *http.Request, err error) {
	if r.JSON {
		refuseJSON(w, err)
		return
	}
	refuse(w, req, err)
}

// maxChallenge bounds what a caller may have proven, in bytes.
const maxChallenge = 256

// checkAddressed keeps web pages out. A page of a stranger can make a browser on
// this machine send requests here: by a name of its own that it lets point to us
// (so the name must be one of ours), or plainly (so its origin must be us).
func (m *Master) checkAddressed(req *http.Request) error {
	host := hostOnly(req.Host)
	// Only HTTP/1.0 may leave the host away, and no browser does.
	if host != "" && net.ParseIP(host) == nil && !m.names[strings.ToLower(host)] {
		return sdk.Errorf(sdk.CodeDenied, "Host", "%q is not a name of this master; use its address, or tell it the name with --hostname", cut(host))
	}
	for _, origin := range req.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || !strings.EqualFold(u.Host, req.Host) || u.Host == "" {
			return sdk.Errorf(sdk.CodeDenied, "Origin", "requests of web pages from %q are not served", cut(origin))
		}
	}
	return nil
}

func hostOnly(hostport string) string {
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		return h
	}
	return strings.Trim(hostport, "[]")
}

// cut shortens what a stranger said before it is repeated.
func cut(s string) string {
	const most = 100
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}

// authenticate tells who the request comes from and whether that may use the route.
func (m *Master) authenticate(r Route, req *http.Request) (caller, error) {
	if r.Permission == open {
		return caller{}, nil
	}
	if m.opts.Insecure {
		return caller{insecure: true}, nil
	}
	token, err := tokenIn(req)
	if err != nil {
		return caller{}, err
	}
	claims, err := m.key.Verify(token)
	if err != nil {
		return caller{}, err
	}
	if claims.Kind == credential.KindExecutor || claims.Kind == credential.KindReader {
		return caller{}, sdk.Errorf(sdk.CodeDenied, "Authorization", "the token of the kind %s is for its own agent only", claims.Kind)
	}
	if !allowed(r.Permission, claims.Kind) {
		return caller{}, sdk.Errorf(sdk.CodeDenied, "Authorization", "a token of the kind %s may not use %s", claims.Kind, r.Path)
	}
	return caller{Claims: claims}, nil
}

func allowed(p permission, k credential.Kind) bool {
	switch p {
	case known:
		return true
	case schedulers:
		return k == credential.KindOperator || k == credential.KindFramework
	case operators:
		return k == credential.KindOperator || k == credential.KindMaster
	case admins:
		return k == credential.KindOperator
	case agents:
		return k == credential.KindAgent
	}
	return false
}

// tokenIn finds the token: as Bearer, as the password of Basic, which is what Mesos's
// clients can send, or as token=…, which DC/OS's clients do.
func tokenIn(req *http.Request) (string, error) {
	const how = "send a token as `Authorization: Bearer …`, as `token=…`, or as the password of HTTP Basic"
	values := req.Header.Values("Authorization")
	switch {
	case len(values) == 0:
		return "", sdk.Errorf(sdk.CodeUnauthenticated, "", "401 Unauthorized. No credential: %s", how)
	case len(values) > 1:
		return "", sdk.Errorf(sdk.CodeUnauthenticated, "Authorization", "401 Unauthorized. It is there %d times", len(values))
	}
	if scheme, token, ok := strings.Cut(values[0], " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token), nil
	}
	if token, ok := strings.CutPrefix(values[0], "token="); ok {
		return strings.TrimSpace(token), nil
	}
	if _, password, ok := req.BasicAuth(); ok {
		return password, nil
	}
	return "", sdk.Errorf(sdk.CodeUnauthenticated, "Authorization", "401 Unauthorized. It is neither Bearer nor Basic nor token=: %s", how)
}
